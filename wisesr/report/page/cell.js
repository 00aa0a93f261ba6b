// A cell: its address is the page's with #cell-7, so that it can be linked to and the browser's back button closes it.
const dialog = byId("cell");
const body = byId("cell-body");
const closed = new Set(["Configuration", "Provenance"]); // parts that are folded, for the next cell too
let opened = null;

function foldedPart(title, ...content) {
  const folded = make("details", "", make("summary", title), ...content);
  folded.open = !closed.has(title);
  folded.addEventListener("toggle", () => closed[folded.open ? "delete" : "add"](title));
  return folded;
}
function facts(rows) {
  const list = make("dl");
  list.className = "facts";
  for (const [name, content] of rows) list.append(make("dt", name), make("dd", "", content));
  return list;
}
// An address of the web as a link, whatever else as the text that it is.
function webLink(address) {
  let known = null;
  try { known = new URL(address); } catch { return address; }
  if (!["http:", "https:"].includes(known.protocol)) return address;
  const link = make("a", address);
  link.href = known.href;
  link.rel = "noopener noreferrer";
  link.target = "_blank";
  return link;
}
function curve(rows, split) {
  const names = ["training loss", `${split} loss`, `${split} top-1, %`, "training top-1, %"]; // as rows have them
  const measured = names.slice(2).filter((_, at) => rows.some((row) => row[at + 3] !== null));
  const values = rows.flatMap(([epoch, ...figures]) => figures.map((value, at) => ({ epoch, value, name: names[at] })));
  const x = { field: "epoch", type: "quantitative", title: "epoch", axis: { tickMinStep: 1, format: "d" }, scale: { nice: false, padding: 6 } };
  const y = (title) => ({ field: "value", type: "quantitative", title, scale: { zero: false } });
  const tooltip = [{ field: "name" }, { field: "epoch" }, { field: "value", format: ".4f" }];
    // A colour is of a split, the same in both panels.
  const colour = (chosen) => ({ field: "name", type: "nominal", title: null, scale: { domain: chosen }, legend: { orient: "top" } });
  const panel = (title, chosen) => ({
    width: 290, height: 190, transform: [{ filter: { field: "name", oneOf: chosen } }, { filter: "isValid(datum.value)" }],
    mark: { type: "line", point: { size: 45 } },
    encoding: { x, y: y(title), tooltip, ...(chosen.length > 1 ? { color: colour(chosen) } : {}) },
  });
  return { data: { values }, resolve: { scale: { color: "independent" } }, hconcat: [panel("loss", names.slice(0, 2)), panel(measured.length > 1 ? "top-1, %" : names[2], measured.reverse())] };
}
async function showCell(index) {
  const details = unpack(byId(`details-${index}`).textContent);
  opened = index;
  byId("cell-name").textContent = details.headline;
  byId("cell-state").textContent = details.state;
  byId("cell-state").className = `state ${details.state}`;
  const rows = [["cell", details.name], ["directory", details.directory]];
  if (details.reason) rows.unshift(["reason", details.reason]);
  if (details.run) rows.push(["run", webLink(details.run)]);
  const chart = make("div");
  chart.className = "chart";
  const box = make("div", "", chart);
  box.className = "scroll";
  body.replaceChildren(facts(rows));
  if (details.curve.length) body.append(foldedPart("Training curve", box));
  if (details.result.length) body.append(foldedPart("Result", facts(details.result)));
  body.append(foldedPart("Log", make("pre", details.log || "There is no log.")));
  body.append(foldedPart("Configuration", make("pre", details.config || "There is no configuration that can be read.")));
  if (details.provenance.length) body.append(foldedPart("Provenance", facts(details.provenance)));
  if (!dialog.open) {
    dialog.showModal();
    dialog.querySelector("#close").focus(); // no autofocus in the page: the browser may complain of one where something has it
  }
  dialog.scrollTop = 0;
  if (details.curve.length) await draw(chart, curve(details.curve, details.split));
}
function closeCell() {
  if (dialog.open) dialog.close();
}
const cellLinks = () => all("#cells tbody tr:not([hidden]) a");
function step(by) {
  const shown = cellLinks();
  const at = shown.findIndex((link) => links.get(link) === `cell-${opened}`);
  const next = shown[at + by];
  if (next) location.replace(next.hash);
}
dialog.addEventListener("close", () => {
  for (const element of [...drawn.keys()].filter((chart) => body.contains(chart))) { drawn.get(element).finalize(); drawn.delete(element); }
  body.replaceChildren();
  if (location.hash.startsWith("#cell-")) history.replaceState(null, "", addressOf(""));
  cellLinks().find((link) => links.get(link) === `cell-${opened}`)?.focus({ preventScroll: true });
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("keydown", (event) => {
  if (event.target.closest("pre, .chart")) return;
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});
byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
byId("close").addEventListener("click", () => dialog.close());
follow();

// On a narrow screen the contents are folded.
if (matchMedia("(max-width: 62rem)").matches) byId("contents").open = false;
