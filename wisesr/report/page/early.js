"use strict";
// Before anything is drawn, so that a dark page does not flash white.
(() => {
  let kept = null;
  try { kept = localStorage.getItem("wisesr-theme"); } catch { /* pages from files may have no storage */ }
  const dark = kept === null ? matchMedia("(prefers-color-scheme: dark)").matches : kept === "dark";
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
