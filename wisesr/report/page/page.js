"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const themes = JSON.parse(byId("themes").textContent);

  function make(name, text, ...children) {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    element.append(...children);
    return element;
  }

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  // Charts: drawn when they come into view, and again when the theme changes.
  const drawn = new Map();
  const SMALLEST = 0.72; // of their size, on narrow screens: below, their letters cannot be read, and they are scrolled

  async function draw(element, spec) {
    drawn.get(element)?.finalize();
    const dark = root.dataset.theme === "dark";
    const actions = { export: true, source: false, compiled: false, editor: false };
    const options = { mode: "vega-lite", ast: true, actions, downloadFileName: name(element), renderer: "svg", tooltip: { theme: dark ? "dark" : "light" } };
    try {
      const result = await vegaEmbed(element, { ...spec, config: themes[root.dataset.theme] }, options);
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

  function name(element) {
    return (element.getAttribute("aria-label") || "figure").replace(/[^\w.-]+/g, "-");
  }

  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) start(target);
  }, { rootMargin: "400px" });

  async function start(element) {
    watcher.unobserve(element);
    const packed = element.dataset.spec;
    if (!packed) return;
    delete element.dataset.spec;
    await draw(element, await unpack(packed));
  }

  all(".chart[data-spec]").forEach((element) => watcher.observe(element));
  addEventListener("beforeprint", () => all(".chart[data-spec]").filter((element) => element.offsetParent).forEach(start));

  // Light and dark.
  const button = byId("theme");
  const label = () => { button.textContent = root.dataset.theme === "dark" ? "Light" : "Dark"; };
  function setTheme(theme) {
    root.dataset.theme = theme;
    label();
    for (const [element, { spec }] of drawn) if (element.isConnected) draw(element, spec);
  }
  button.addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("wisesr-theme", theme); } catch { /* it is then forgotten */ }
    setTheme(theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ({ matches }) => {
    let kept = null;
    try { kept = localStorage.getItem("wisesr-theme"); } catch { /* none */ }
    if (kept === null) setTheme(matches ? "dark" : "light");
  });
  label();
  // Paper is white, whatever the screen is.
  let screen = null;
  addEventListener("beforeprint", () => { if (root.dataset.theme === "dark") { screen = "dark"; setTheme("light"); } });
  addEventListener("afterprint", () => { if (screen) setTheme(screen); screen = null; });

  // Pictures stand once in the page, and are shown where they are meant.
  const pictures = JSON.parse(byId("pictures").textContent);
  for (const image of all("img[data-picture]")) {
    image.loading = "lazy";
    image.src = `data:image/jpeg;base64,${pictures[image.dataset.picture]}`;
  }

  // One backbone and one head of a section at a time.
  for (const section of all(".figures")) {
    const selects = all("select[data-choose]", section);
    const show = () => {
      for (const part of all("[data-group]", section)) {
        part.hidden = !selects.every(({ dataset, value }) => {
          const own = part.dataset[dataset.choose];
          return !own || !value || own === value;
        });
      }
    };
    selects.forEach((select) => select.addEventListener("change", show));
    show();
  }

  // Sorting: as numbers where both are, as text elsewhere; what is empty stays last.
  const collator = new Intl.Collator("en", { numeric: true });
  function valueOf(row, index) {
    const cell = row.cells[index];
    const text = (cell.dataset.v ?? cell.textContent).trim();
    return text === "–" ? "" : text;
  }
  function sortBy(header) {
    const table = header.closest("table");
    const index = header.cellIndex;
    const before = header.getAttribute("aria-sort");
    const first = header.classList.contains("number") ? "descending" : "ascending";
    const order = before === "none" ? first : before === "ascending" ? "descending" : "ascending";
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].map((row) => [row, valueOf(row, index)]);
    rows.sort(([, one], [, other]) => {
      if (!one || !other) return !one - !other;
      const [a, b] = [Number(one), Number(other)];
      return sign * (Number.isNaN(a) || Number.isNaN(b) ? collator.compare(one, other) : a - b);
    });
    all("[aria-sort]", table).forEach((title) => title.setAttribute("aria-sort", title === header ? order : "none"));
    table.tBodies[0].append(...rows.map(([row]) => row));
  }
  all("table[data-sortable] .sort").forEach((button) => button.addEventListener("click", () => sortBy(button.closest("th"))));

  // Filtering: a row has all words, and the state.
  for (const box of all(".filter")) {
    const rows = [...box.parentElement.querySelector("table").tBodies[0].rows];
    const texts = rows.map((row) => [...row.cells].map((cell) => `${cell.textContent} ${cell.firstElementChild?.title ?? ""}`).join(" ").toLowerCase());
    const [input, state, count] = [box.querySelector("[data-filter]"), box.querySelector("[data-state]"), box.querySelector("output")];
    const filter = () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      rows.forEach((row, index) => {
        row.hidden = (state?.value && row.dataset.state !== state.value) || !wanted.every((word) => texts[index].includes(word));
        left += !row.hidden;
      });
      count.textContent = left === rows.length ? "" : `${left} of ${rows.length}`;
    };
    input.addEventListener("input", filter);
    state?.addEventListener("change", filter);
    filter();
  }

  // Values on hover and focus.
  const tip = byId("tip");
  function showTip(element) {
    tip.textContent = element.dataset.tip;
    tip.hidden = false;
    const place = element.getBoundingClientRect();
    const left = Math.min(Math.max(8, place.right - tip.offsetWidth), root.clientWidth - tip.offsetWidth - 8);
    const below = place.bottom + tip.offsetHeight + 12 < innerHeight;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(below ? place.bottom + 6 : place.top - tip.offsetHeight - 6) + scrollY}px`;
  }
  for (const element of all("[data-tip]")) {
    element.setAttribute("aria-describedby", "tip");
    for (const name of ["mouseenter", "focus"]) element.addEventListener(name, () => showTip(element));
    for (const name of ["mouseleave", "blur"]) element.addEventListener(name, () => { tip.hidden = true; });
  }

  // A cell: its address is the page's with #cell-7, so that it can be linked to and the browser's back button closes it.
  const dialog = byId("cell");
  const body = byId("cell-body");
  const closed = new Set(["Configuration", "Provenance"]); // parts that are folded, for the next cell too
  let opened = null;

  function part(title, ...content) {
    const folded = make("details", "", make("summary", title), ...content);
    folded.open = !closed.has(title);
    folded.addEventListener("toggle", () => closed[folded.open ? "delete" : "add"](title));
    return folded;
  }
  function facts(rows) {
    const list = make("dl");
    list.className = "facts";
    for (const [name, text] of rows) list.append(make("dt", name), make("dd", text));
    return list;
  }
  function curve(rows, split) {
    const names = ["training loss", `${split} loss`, `${split} top-1, %`, "training top-1, %"];
    const measured = names.slice(2).filter((_, at) => rows.some((row) => row[at + 3] !== null));
    const values = rows.flatMap(([epoch, ...figures]) => figures.map((value, at) => ({ epoch, value, name: names[at] })));
    const x = { field: "epoch", type: "quantitative", title: "epoch", axis: { tickMinStep: 1, format: "d" }, scale: { nice: false, padding: 6 } };
    const y = (title) => ({ field: "value", type: "quantitative", title, scale: { zero: false } });
    const tooltip = [{ field: "name" }, { field: "epoch" }, { field: "value", format: ".4f" }];
    const colour = { field: "name", type: "nominal", title: null, sort: names, legend: { orient: "top" } };
    const panel = (title, chosen) => ({
      width: 290, height: 190, transform: [{ filter: { field: "name", oneOf: chosen } }, { filter: "isValid(datum.value)" }],
      mark: { type: "line", point: { size: 45 } },
      encoding: { x, y: y(title), tooltip, ...(chosen.length > 1 ? { color: colour } : {}) },
    });
    return { data: { values }, resolve: { scale: { color: "independent" } }, hconcat: [panel("loss", names.slice(0, 2)), panel(measured.length > 1 ? "top-1, %" : names[2], measured)] };
  }
  async function show(index) {
    const details = await unpack(byId(`details-${index}`).textContent);
    opened = index;
    byId("cell-name").textContent = details.name;
    const state = [["state", details.state], ...(details.reason ? [["reason", details.reason]] : []), ["directory", details.directory]];
    const chart = make("div");
    chart.className = "chart";
    const box = make("div", "", chart);
    box.className = "scroll";
    body.replaceChildren(facts(state));
    if (details.result.length) body.append(part("Result", facts(details.result)));
    if (details.curve.length) body.append(part("Training curve", box));
    body.append(part("Log", make("pre", details.log || "There is no log.")));
    body.append(part("Configuration", make("pre", details.config || "There is no configuration that can be read.")));
    if (details.provenance.length) body.append(part("Provenance", facts(details.provenance)));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    if (details.curve.length) await draw(chart, curve(details.curve, details.split));
  }
  function follow() {
    const found = /^#cell-(\d+)$/.exec(location.hash);
    if (found && byId(`details-${found[1]}`)) show(Number(found[1]));
    else if (dialog.open) dialog.close();
  }
  function step(by) {
    const links = all("#cells tbody tr:not([hidden]) a").map((link) => link.hash);
    const at = links.indexOf(`#cell-${opened}`);
    const next = links[at + by];
    if (next) location.replace(next);
  }
  dialog.addEventListener("close", () => {
    for (const element of [...drawn.keys()].filter((chart) => body.contains(chart))) { drawn.get(element).finalize(); drawn.delete(element); }
    body.replaceChildren();
    if (location.hash.startsWith("#cell-")) history.replaceState(null, "", location.pathname + location.search);
    document.querySelector(`#cells a[href="#cell-${opened}"]`)?.focus({ preventScroll: true });
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
  addEventListener("hashchange", follow);
  follow();

  // On a narrow screen the contents are folded.
  if (matchMedia("(max-width: 62rem)").matches) byId("contents").open = false;
})();
