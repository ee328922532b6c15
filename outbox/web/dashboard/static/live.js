// Keeps a page up to date: when the log has grown it is asked for anew, and only what differs is changed, so that
// focus, scrolling and what somebody is typing stay.
"use strict";

(() => {
  const address = document.body.dataset.live;
  if (!address) return;
  const liveness = document.getElementById("liveness");
  let wanted = false;
  let asking = false;

  const say = (words) => { liveness.textContent = words; };

  const keep = {
    // What somebody has typed, chosen or opened is theirs; a chart draws itself.
    beforeAttributeUpdated: (name, node) =>
      !(node.matches("input, select, textarea, option") && ["value", "checked", "selected"].includes(name))
      && !(node.matches("details") && name === "open"),
    beforeNodeMorphed: (node) =>
      !(node instanceof Element && (node.classList.contains("chart") || node === document.activeElement
        && node.matches("input, textarea, select"))),
  };

  async function refresh() {
    wanted = true;
    if (asking || document.hidden) return;
    asking = true;
    try {
      while (wanted) {
        wanted = false;
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        if (answer.redirected) { location.reload(); return; }
        if (!answer.ok) { say("not live: the page could not be read"); return; }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        Idiomorph.morph(document.getElementById("main"), page.getElementById("main"), { callbacks: keep });
        document.dispatchEvent(new Event("outbox:changed"));
        say("live");
      }
    } catch {
      say("not live: no connection");
    } finally {
      asking = false;
    }
  }

  const source = new EventSource(address);
  source.addEventListener("open", () => { say("live"); refresh(); });
  source.addEventListener("changed", refresh);
  source.addEventListener("error", () => say("not live: no connection"));
  setInterval(() => {
    for (const node of document.querySelectorAll("[data-counts-down]")) {
      node.textContent = Math.max(0, Number(node.textContent) - 1);
    }
  }, 1000);
  document.addEventListener("visibilitychange", () => { if (wanted && !document.hidden) refresh(); });
})();
