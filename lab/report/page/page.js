"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);

  // The details of legs come packed, scenario by scenario, and are unfolded when a leg is opened.
  const packs = new WeakMap();
  const unpack = (script) => {
    if (!packs.has(script)) {
      const bytes = Uint8Array.from(atob(script.textContent), (c) => c.charCodeAt(0));
      const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      packs.set(script, new Response(plain).json());
    }
    return packs.get(script);
  };
  const fill = async (part) => {
    const body = part.querySelector(":scope > .body[data-packed]");
    if (!body) return;
    delete body.dataset.packed;
    try {
      const details = await unpack(part.closest(".scenario").querySelector(".pack"));
      body.innerHTML = details[body.id];
    } catch {
      body.dataset.packed = "";
      body.insertAdjacentText("beforeend", "This browser can't unfold the details; edgelab run -v tells them.");
    }
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.matches(".leg, .certificates") && event.target.open) fill(event.target);
  }, true);

  // A link to what a closed part holds opens it.
  const reveal = async () => {
    let id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    if (!id) return;
    if (!one(id)) { // a certificate that is packed
      for (const body of all(".certificates > .body[data-packed]")) if (id.startsWith(body.id + "-")) await fill(body.parentElement);
    }
    const target = one(id);
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    const part = target.closest(".leg, .certificates");
    if (part) await fill(part);
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
    const rows = new Map(all(".matrix tbody tr").map((e) => [e.querySelector("a").hash.slice(1), e]));
    const scenarios = all(".scenario").map((e) => ({ e, legs: all(".leg", e), text: e.querySelector("h2").textContent.toLowerCase(), row: rows.get(e.getAttribute("aria-labelledby")) }));
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
      for (const { e, row } of scenarios) if (row) row.hidden = e.hidden;
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
    // What sticks below the filters has to know how high they are.
    const bar = one("search").closest("fieldset");
    new ResizeObserver(() => document.documentElement.style.setProperty("--bar", bar.offsetHeight + "px")).observe(bar);
  }
  reveal();
})();
