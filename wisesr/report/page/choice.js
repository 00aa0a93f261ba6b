// One backbone and one head for all figures. The address has them behind the place: #table-indoor-224-cost?backbone=resnet50&head=wise,
// and nothing where they are the page's own. So reload, the back button and a copied address bring them back, and every link of
// the page carries them on.
const ALL = "*";
const bar = byId("choice");
const selects = bar ? all("select", bar) : [];
const links = new Map(all('a[href^="#"]').map((link) => [link, link.hash.slice(1)]));
const WHAT = { group: ["backbone", "backbones"], head: ["head", "heads"] }; // in the page's data, and as the address and readers name it
const chosen = (kind) => selects.find((select) => select.name === WHAT[kind][0])?.value ?? ALL;

function readAddress() {
  const [anchor, query] = location.hash.slice(1).split("?");
  return { anchor, asked: new URLSearchParams(query) };
}
function query() {
  const own = selects.every((select) => select.value === select.dataset.default);
  return own ? "" : `?${new URLSearchParams(selects.map((select) => [select.name, select.value]))}`;
}
function addressOf(anchor) {
  const hash = `${anchor}${query()}`;
  return `${location.pathname}${location.search}${hash && `#${hash}`}`;
}

const FEW = 6;

// Of a section whose figures are of other backbones or heads: which ones, in a line.
function nothingLine(section) {
  const parts = all("[data-group]", section);
  const group = chosen("group");
  const ofGroup = parts.filter((part) => group === ALL || !part.dataset.group || part.dataset.group === group);
  const values = (kind) => [...new Set((kind === "head" ? ofGroup : parts).map((part) => part.dataset[kind]).filter(Boolean))];
  const lacking = Object.keys(WHAT).filter((kind) => {
    const [value, own] = [chosen(kind), values(kind)];
    return value !== ALL && own.length && !own.includes(value);
  });
  if (!lacking.length) return parts.length && parts.every((part) => part.hidden) ? `Nothing here is of ${chosen("head")} on ${group}.` : "";
  const missing = lacking.map((kind) => `${WHAT[kind][0]} ${chosen(kind)}`).join(" or ");
  const there = lacking.map((kind) => {
    const own = values(kind);
    const named = own.slice(0, FEW).join(", ") + (own.length > FEW ? ` and ${own.length - FEW} more` : "");
    return `${WHAT[kind][own.length > 1 ? 1 : 0]} ${named}`;
  });
  return `Nothing here is of ${missing} alone; this section has ${there.join(" and ")}.`;
}

function showChosen() {
  for (const part of all("main [data-group]")) {
    part.hidden = Object.keys(WHAT).some((kind) => {
      const own = part.dataset[kind];
      return own && chosen(kind) !== ALL && own !== chosen(kind);
    });
  }
  for (const section of all(".figures")) {
    const line = nothingLine(section);
    const place = section.querySelector(":scope > .nothing") ?? section.appendChild(make("p"));
    place.className = "nothing how";
    place.textContent = line;
    place.hidden = !line;
  }
  for (const [link, anchor] of links) link.setAttribute("href", `#${anchor}${query()}`);
  const words = selects.map(({ name, value }) => (value === ALL ? `all ${name}s` : `${name} ${value}`));
  if (bar) byId("chosen").textContent = `Figures of ${words.join(", ")}.`;
  drawAhead();
}

// What is being read stays where it is, though figures above it come and go.
function keepingPlace(change) {
  const top = bar ? bar.getBoundingClientRect().bottom : 0;
  const here = all("main section, main h3").find((element) => element.getBoundingClientRect().bottom > top + 1);
  const inside = here && all("section", here).find((element) => element.getBoundingClientRect().bottom > top + 1);
  const held = inside ?? here;
  const from = held?.getBoundingClientRect().top;
  change();
  if (held) scrollBy({ top: held.getBoundingClientRect().top - from, behavior: "instant" });
}

let lastAnchor = null;
function follow() {
  const { anchor, asked } = readAddress();
  for (const select of selects) {
    const wanted = asked.get(select.name);
    select.value = [...select.options].some(({ value }) => value === wanted) ? wanted : select.dataset.default;
  }
  showChosen();
  const cell = /^cell-(\d+)$/.exec(anchor);
  if (cell || anchor === "cells") byId("cell-list").open = true;
  if (cell && byId(`details-${cell[1]}`)) showCell(Number(cell[1]));
  else closeCell();
  // The browser itself finds a place only where nothing stands behind it.
  if (location.hash.includes("?") && anchor !== lastAnchor && !cell) goTo(byId(anchor));
  lastAnchor = anchor;
}
function goTo(place) {
  if (!place) return;
  if (!place.matches("a, button, [tabindex]")) place.tabIndex = -1;
  place.focus({ preventScroll: true });
  place.scrollIntoView();
}

for (const select of selects) {
  select.addEventListener("change", () => keepingPlace(() => {
    history.pushState(null, "", addressOf(readAddress().anchor));
    showChosen();
  }));
}
addEventListener("hashchange", follow);
// A link to where the address is already changes nothing, and still leads there.
for (const [link, anchor] of links) link.addEventListener("click", () => { if (link.hash === location.hash) goTo(byId(anchor)); });
