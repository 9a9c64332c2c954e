"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);

  // A link to what a closed part holds opens it.
  const reveal = () => {
    let id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = id && one(id);
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  const search = one("search");
  if (search) {
    all(".scripted").forEach((e) => { e.hidden = false; });
    const legs = all(".leg").map((e) => {
      const scenario = e.closest(".scenario");
      const text = scenario.querySelector("h2").textContent + " " + e.querySelector("summary").textContent;
      return { e, text: text.toLowerCase() };
    });
    const scenarios = all(".scenario").map((e) => ({ e, legs: all(".leg", e), text: e.querySelector("h2").textContent.toLowerCase() }));
    const verdict = one("by-verdict");
    const visible = (e) => e.offsetParent !== null;
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const { e, text } of legs) {
        e.hidden = !(words.every((w) => text.includes(w)) && (!verdict.value || e.dataset.verdict === verdict.value));
      }
      const filtered = words.length > 0 || verdict.value !== "";
      for (const s of scenarios) {
        s.e.hidden = filtered && !s.legs.some((e) => !e.hidden) && !(!verdict.value && words.every((w) => s.text.includes(w)));
      }
      const n = legs.filter(({ e }) => visible(e)).length;
      one("found").value = n + (n === 1 ? " leg" : " legs") + " shown";
    };
    search.addEventListener("input", apply);
    verdict.addEventListener("input", apply);
    all("[name=show]").forEach((e) => e.addEventListener("input", apply));
    one("open-all").addEventListener("click", () => legs.forEach(({ e }) => { if (visible(e)) e.open = true; }));
    one("close-all").addEventListener("click", () => legs.forEach(({ e }) => { e.open = false; }));
    addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
        event.preventDefault();
        search.focus();
      }
    });
    apply();
  }
  reveal();
})();
