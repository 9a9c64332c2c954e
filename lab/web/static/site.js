// Makes switches, the time slider and the editor act in place. Without it every page works all the same, a page at a time.
"use strict";
(() => {
  const main = document.getElementById("main");
  const said = document.getElementById("said");
  let asked = null; // what is under way
  let here = location.pathname + location.search;

  // say reads a page's outcome to those who listen.
  const say = (from) => {
    const text = from.querySelector("[data-said]");
    said.textContent = text ? text.textContent.replace(/\s+/g, " ").trim() : "";
  };

  // swap puts the page at url in this one's place. What was asked before is given up, and its run with it.
  const swap = async (url, {push = true, body = null} = {}) => {
    if (asked) asked.abort();
    const mine = asked = new AbortController();
    const focused = document.activeElement && document.activeElement.id;
    const broken = document.getElementById("only-broken");
    const onlyBroken = broken && broken.checked;
    main.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, {signal: mine.signal, body, method: body ? "POST" : "GET"});
      if (!(answer.headers.get("Content-Type") || "").startsWith("text/html")) throw new Error("no page");
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== asked) return;
      const next = page.getElementById("main");
      if (!next) throw new Error("no page");
      main.replaceChildren(...next.childNodes);
      document.title = page.title;
      if (push) history.pushState(null, "", answer.url);
      here = location.pathname + location.search;
      prepare(main);
      const again = document.getElementById("only-broken");
      if (again) again.checked = onlyBroken;
      const back = focused && document.getElementById(focused);
      if (back) back.focus({preventScroll: true});
      say(main);
    } catch (wrong) {
      if (wrong.name === "AbortError") return;
      location.assign(url);
    } finally {
      if (mine === asked) {
        asked = null;
        main.removeAttribute("aria-busy");
      }
    }
  };

  // switches turns one in place: the address is made of how all of them stand, so that quick hands lose nothing.
  const switches = (form) => {
    form.addEventListener("click", (event) => {
      const button = event.target.closest("[role=switch]");
      if (!button) return;
      event.preventDefault();
      if (button.getAttribute("aria-disabled") === "true") {
        said.textContent = button.title;
        return;
      }
      button.setAttribute("aria-checked", String(button.getAttribute("aria-checked") !== "true"));
      button.classList.toggle("turned", button.getAttribute("aria-checked") !== button.dataset.written);
      const query = new URLSearchParams();
      for (const field of form.querySelectorAll("input[type=hidden]")) {
        if (field.name !== "off" && field.name !== "on") query.append(field.name, field.value);
      }
      for (const one of form.querySelectorAll("[role=switch]")) {
        const is = one.getAttribute("aria-checked");
        if (is !== one.dataset.written) query.append(is === "true" ? "on" : "off", one.value);
      }
      query.sort();
      swap("/lab?" + query);
    });
  };

  // time joins the slider and the date, and shows the day when the hand rests.
  const day = 24 * 60 * 60 * 1000;
  const time = (form) => {
    const slider = form.querySelector("#slider"), at = form.querySelector("#at"), ca = form.querySelector("#ca");
    let rest = 0;
    const go = () => {
      clearTimeout(rest);
      rest = setTimeout(() => {
        if (at.value) swap("/time?" + new URLSearchParams(new FormData(form)));
      }, 140);
    };
    slider.addEventListener("input", () => {
      at.value = new Date(slider.value * day).toISOString().slice(0, 10);
      slider.setAttribute("aria-valuetext", at.value);
      go();
    });
    at.addEventListener("change", () => {
      if (!at.checkValidity()) return;
      slider.value = Date.parse(at.value) / day;
      go();
    });
    ca.addEventListener("change", go);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      go();
    });
  };

  // editor keeps what is written over a reload, and asks what is wrong with it while it is written.
  const editor = (form) => {
    const text = form.querySelector("#text"), discard = form.querySelector("#discard");
    const key = "draft " + location.pathname + location.search;
    const saved = text.defaultValue;
    let rest = 0, checking = null, draft = null;
    try { draft = sessionStorage.getItem(key); } catch { /* the browser keeps nothing */ }
    const keep = () => {
      const changed = text.value !== saved;
      discard.hidden = !changed;
      try {
        if (changed) sessionStorage.setItem(key, text.value); else sessionStorage.removeItem(key);
      } catch { /* too much, or nothing is kept */ }
    };
    const look = async () => {
      if (checking) checking.abort();
      const mine = checking = new AbortController();
      try {
        const answer = await fetch("/check", {method: "POST", signal: mine.signal, body: new URLSearchParams({text: text.value})});
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (mine !== checking) return;
        const verdict = page.getElementById("verdict");
        if (!verdict) { // it is too much
          form.querySelector("#verdict").textContent = "✗ " + (page.querySelector(".lead") || page.body).textContent;
          return;
        }
        for (const id of ["verdict", "problems", "gutter", "beside"]) {
          const now = document.getElementById(id), then = page.getElementById(id);
          if (now && then) { now.replaceChildren(...then.childNodes); now.className = then.className; }
        }
        say(form);
      } catch { /* the next look will tell */ }
    };
    const fit = () => { text.rows = Math.max(text.value.split("\n").length + 2, 16); };
    text.addEventListener("input", () => {
      fit();
      keep();
      clearTimeout(rest);
      rest = setTimeout(look, 250);
    });
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    form.addEventListener("submit", () => { try { sessionStorage.removeItem(key); } catch { /* nothing was kept */ } });
    discard.addEventListener("click", () => {
      text.value = saved;
      fit();
      keep();
      look();
      text.focus();
    });
    form.addEventListener("click", (event) => {
      const link = event.target.closest("[data-line]");
      if (!link) return;
      event.preventDefault();
      const lines = text.value.split("\n"), line = Number(link.dataset.line);
      const at = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      const from = at + [...(lines[line - 1] || "")].slice(0, Number(link.dataset.column) - 1).join("").length;
      text.focus();
      text.setSelectionRange(from, at + (lines[line - 1] || "").length);
      document.getElementById("line-" + line)?.scrollIntoView({block: "center"});
    });
    if (draft !== null && draft !== saved) text.value = draft;
    if (text.value !== saved) {
      fit();
      keep();
      look();
    }
  };

  // search narrows the catalogue.
  const search = (field) => {
    const found = document.getElementById("found");
    const shelves = [...document.querySelectorAll(".shelf")];
    const open = shelves.map((shelf) => shelf.open);
    const apply = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let total = 0;
      shelves.forEach((shelf, i) => {
        let here = 0;
        for (const book of shelf.querySelectorAll("li")) {
          const text = book.textContent.toLowerCase();
          book.hidden = !words.every((word) => text.includes(word));
          if (!book.hidden) here++;
        }
        shelf.hidden = here === 0;
        shelf.open = words.length ? here > 0 : open[i];
        total += here;
      });
      found.textContent = words.length ? total + (total === 1 ? " scenario" : " scenarios") : "";
    };
    field.addEventListener("input", apply);
    apply();
  };

  // prepare makes what is new on the page act.
  const prepare = (part) => {
    for (const one of part.querySelectorAll(".scripted:not(#discard)")) one.hidden = false;
    for (const form of part.querySelectorAll("[data-switches]")) switches(form);
    for (const form of part.querySelectorAll("[data-time]")) time(form);
    for (const form of part.querySelectorAll("[data-editor]")) editor(form);
    for (const field of part.querySelectorAll("#search")) search(field);
  };

  main.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    swap(link.href);
  });
  addEventListener("popstate", () => {
    if (location.pathname + location.search !== here) swap(location.href, {push: false});
  });
  prepare(main);
})();
