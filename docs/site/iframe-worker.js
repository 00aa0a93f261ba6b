// Search in pages that are opened as files: browsers start no workers there, so the worker's script runs in a hidden frame.
// The offline plugin of mkdocs-material looks for this name, and would load a script of its own from elsewhere without it.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(address) {
      super();
      const waiting = [];
      this.postMessage = (data) => waiting.push(data);
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.srcdoc = `<script src="${new URL(address, document.baseURI)}"></script>`;
      frame.onload = () => {
        const inside = frame.contentWindow;
        inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
        this.postMessage = (data) => inside.dispatchEvent(new inside.MessageEvent("message", { data }));
        waiting.forEach(this.postMessage);
      };
      document.body.append(frame);
    }
  };
  window.Worker = window.IFrameWorker;
}
