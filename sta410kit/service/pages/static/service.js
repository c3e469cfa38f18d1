// Everything works without this file: it follows runs while they go on, and counts the ticks.
"use strict";

const live = document.querySelector("[data-events]");
if (live) {
  // The server renders; each event only says that there is something new to fetch.
  let busy = false, again = false;
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(live.dataset.fragment, { headers: { Accept: "text/html" } });
      if (answer.headers.get("X-State") !== live.dataset.state) { location.assign(answer.headers.get("X-Next") || location.href); return; }
      if (answer.ok) live.innerHTML = await answer.text();
    } catch { /* the next event tries again */ } finally {
      busy = false;
      if (again) { again = false; refresh(); }
    }
  };
  const source = new EventSource(live.dataset.events);
  for (const name of live.dataset.names.split(" ")) source.addEventListener(name, refresh);
  addEventListener("pagehide", () => source.close());
  setInterval(refresh, 5000);  // an event may be lost behind a proxy that buffers
}

const compare = document.querySelector("#compare");
if (compare) {
  const count = () => {
    const ticked = document.querySelectorAll("input[name=run]:checked").length;
    compare.disabled = ticked !== 2;
    compare.textContent = ticked === 2 ? "Compare the two" : "Tick two runs to compare";
  };
  document.addEventListener("change", count);
  addEventListener("pageshow", count);
  count();
}

for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", (event) => { if (!confirm(form.dataset.ask)) event.preventDefault(); });
}
