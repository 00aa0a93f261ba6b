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

// Filtering: a row has all words, each of them whole, so that wise is neither depthwise nor wise_dropout; wise* begins words, and
// what stands in quotes may be anywhere, spaces and all. A word ends where letters, digits and underscores do; 76 is not in 76.75.
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
function patterns(text) {
  const asked = text.toLowerCase().replace(/[“”„]/g, '"').matchAll(/"([^"]*)"?|(\S+)/g);
  return [...asked].filter(([, quoted, word]) => quoted || word).map(([, quoted, word]) => {
    if (quoted) return new RegExp(escaped(quoted), "u");
    const parts = escaped(word).replaceAll("\\*", "\\S*");
    return new RegExp(`(?<![\\p{L}\\p{N}_]|\\d\\.)${parts}(?![\\p{L}\\p{N}_]|\\.\\d)`, "u");
  });
}
for (const box of all(".filter")) {
  const rows = [...box.parentElement.querySelector("table").tBodies[0].rows];
  const texts = rows.map((row) => [...row.cells].map((cell) => `${cell.textContent} ${cell.firstElementChild?.title ?? ""}`).join(" \n ").toLowerCase());
  const [input, state, count] = [box.querySelector("[data-filter]"), box.querySelector("[data-state]"), box.querySelector("output")];
  const filter = () => {
    const wanted = patterns(input.value);
    let left = 0;
    rows.forEach((row, index) => {
      row.hidden = Boolean(state?.value && row.dataset.state !== state.value) || !wanted.every((pattern) => pattern.test(texts[index]));
      left += !row.hidden;
    });
    const word = input.value.trim().split(/\s+/).at(-1);
    const hint = left || !word || /["*]/.test(word) ? "" : `: ${word}* also finds longer words`;
    count.textContent = left === rows.length ? "" : `${left} of ${rows.length}${hint}`;
  };
  input.addEventListener("input", filter);
  state?.addEventListener("change", filter);
  filter();
}

// A line beside the first column as soon as others have moved below it.
document.addEventListener("scroll", ({ target }) => target.classList?.toggle("moved", target.scrollLeft > 1), { capture: true, passive: true });

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

// LaTeX for the clipboard. Where the page may not write there, as from some files and over plain http, an older way, and at last
// the text itself, selected.
function copyFromField(text) {
  const field = make("textarea", text);
  field.readOnly = true;
  field.className = "copied-text";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  if (done) field.remove();
  return done ? null : field;
}
async function copy(button) {
  const text = unpack(byId(button.dataset.copy).textContent);
  const answer = byId("copy-answer");
  let field = null;
  try { await navigator.clipboard.writeText(text); } catch { field = copyFromField(text); }
  if (field) {
    button.closest(".tail").after(field);
    field.select();
  }
  const label = button.textContent;
  button.disabled = true; // keeps its width: the answer is shorter
  button.textContent = field ? "Press Ctrl+C" : "Copied";
  answer.textContent = field ? "The LaTeX is selected below the button: press Ctrl+C." : "Copied.";
  setTimeout(() => {
    button.textContent = label;
    button.disabled = false;
    answer.textContent = "";
  }, 2500);
}
all("[data-copy]").forEach((button) => button.addEventListener("click", () => copy(button)));
