"use strict";
const field = document.getElementById("find"), entries = [...document.querySelectorAll("[data-find]")];
if (field && entries.length) {
  field.closest("label").hidden = false;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const one of entries) one.hidden = !words.every(word => one.textContent.toLowerCase().includes(word));
    const left = entries.filter(one => !one.hidden).length;
    document.getElementById("left").textContent = words.length ? `${left} of ${entries.length}` : "";
  });
}
