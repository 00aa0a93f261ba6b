// Charts: drawn when they come near the window, the others that are shown when the browser has nothing else to do, and again
// when the theme changes. Nothing between a chart's packed text and its drawing waits for more than promises of its own, so
// that whatever is not drawn yet is drawn before the browser returns from "beforeprint".
const drawn = new Map();
const SMALLEST = 0.72; // of their size, on narrow screens: below, their letters cannot be read, and they are scrolled
const AHEAD = 60; // charts that are drawn before they are looked at: at 40 ms each that is unnoticed, and so many print at once
const waiting = new Set(all(".chart[data-spec]"));

async function draw(element, spec) {
  drawn.get(element)?.finalize();
  const dark = root.dataset.theme === "dark";
  const actions = { export: true, source: false, compiled: false, editor: false };
  const options = { mode: "vega-lite", ast: true, actions, downloadFileName: fileName(element), renderer: "svg", tooltip: { theme: dark ? "dark" : "light" } };
  try {
    const result = await vegaEmbed(element, { ...spec, config: themes[root.dataset.theme] }, options);
    if (!element.isConnected) return result.finalize(); // its cell was closed meanwhile
    drawn.set(element, { spec, finalize: () => result.finalize() });
    const svg = element.querySelector("svg.marks");
    svg.style.minWidth = `${SMALLEST * svg.width.baseVal.value}px`;
    element.dataset.drawn = "true";
  } catch (error) {
    element.classList.add("broken");
    element.textContent = `This figure could not be drawn: ${error.message}`;
    throw error;
  }
}

function fileName(element) {
  return (element.getAttribute("aria-label") || "figure").replace(/[^\w.-]+/g, "-");
}

function start(element) {
  if (!waiting.delete(element)) return null;
  watcher.unobserve(element);
  const packed = element.dataset.spec;
  delete element.dataset.spec;
  return draw(element, unpack(packed));
}

const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) start(target);
}, { rootMargin: "400px" });
for (const element of waiting) watcher.observe(element);

const shown = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;
const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(work, 60)); // Safari has none
let ahead = null;
function drawAhead() {
  ahead ??= whenIdle(async () => {
    const next = drawn.size < AHEAD ? [...waiting].find(shown) : null;
    if (next) await start(next);
    ahead = null;
    if (next) drawAhead();
    else loadShownPictures();
  });
}
drawAhead();

// Light and dark.
const themeButton = byId("theme");
const labelTheme = () => { themeButton.textContent = root.dataset.theme === "dark" ? "Light" : "Dark"; };
function setTheme(theme) {
  root.dataset.theme = theme;
  labelTheme();
  for (const [element, { spec }] of drawn) if (element.isConnected) draw(element, spec);
}
function keptTheme() {
  try { return localStorage.getItem("wisesr-theme"); } catch { return null; } // pages from files may have no storage
}
themeButton.addEventListener("click", () => {
  const theme = root.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("wisesr-theme", theme); } catch { /* it is then forgotten */ }
  setTheme(theme);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ({ matches }) => {
  if (keptTheme() !== null) return;
  const theme = matches ? "dark" : "light";
  if (before) before.theme = theme; // what is being printed stays light
  else setTheme(theme);
});
labelTheme();

// Paper is white, whatever the screen is; what is folded only to be short is open on it; and all that is shown is drawn.
let before = null;
addEventListener("beforeprint", () => {
  before ??= { theme: root.dataset.theme, folded: all("details[data-print]:not([open]), .claims details:not([open])") };
  for (const folded of before.folded) folded.open = true;
  if (before.theme === "dark") setTheme("light");
  [...waiting].filter(shown).forEach(start);
  loadShownPictures();
});
addEventListener("afterprint", () => {
  for (const folded of before?.folded ?? []) folded.open = false;
  if (before?.theme === "dark") setTheme("dark");
  before = null;
});

// Pictures stand once in the page, and are shown where they are meant; those of hidden parts are not unpacked.
const pictures = JSON.parse(byId("pictures").textContent);
for (const image of all("img[data-picture]")) {
  image.loading = "lazy";
  image.src = `data:image/jpeg;base64,${pictures[image.dataset.picture]}`;
}
function loadShownPictures() {
  for (const image of all("img[data-picture][loading=lazy]")) if (shown(image)) image.loading = "eager";
}
