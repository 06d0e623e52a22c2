// The history's chips: one stop of the Tab key, arrows inside; Delete removes, Alt+arrows or dragging move.
import { startDragging } from "./dragging.js";

export function startHistory(page) {
  const region = page.find('[data-region="history"]');
  const chips = () => [...region.querySelectorAll(".chip")];

  function focus(index) {
    const all = chips();
    if (!all.length) return page.find("#m2-search").focus();
    const place = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((chip, at) => (chip.querySelector(".chip-main").tabIndex = at === place ? 0 : -1));
    all[place].querySelector(".chip-main").focus();
  }

  region.addEventListener("keydown", async (event) => {
    const chip = event.target.closest(".chip");
    if (!chip) return;
    const at = Number(chip.dataset.at);
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      await page.act({ type: "remove", at });
      focus(at);
    } else if (side && event.altKey) {
      event.preventDefault();
      const to = at + side;
      if (to < 0 || to >= chips().length) return;
      await page.act({ type: "move", at, to });
      focus(to);
    } else if (side) {
      event.preventDefault();
      focus(at + side);
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      focus(event.key === "Home" ? 0 : Infinity);
    }
  });

  region.addEventListener("click", (event) => {
    const chip = event.target.closest(".chip-main")?.parentElement;
    if (chip) light(page, chips().filter((other) => other.dataset.item === chip.dataset.item).map((other) => Number(other.dataset.at)));
  });

  startDragging(region, (at, to) => page.act({ type: "move", at, to }));

  page.root.addEventListener("m2:shown", newest);
  newest();

  function newest() {
    const list = region.querySelector(".chips");
    if (list) list.scrollTop = list.scrollHeight;
  }
}

/** Lights up the chips at these positions of the whole history, and only those; `beat` when they share a period. */
export function light(page, positions, beat = false) {
  const lit = new Set(positions);
  for (const chip of page.root.querySelectorAll(".chip")) {
    chip.classList.toggle("lit", lit.has(Number(chip.dataset.at)));
    chip.classList.toggle("beat", beat && lit.has(Number(chip.dataset.at)));
  }
}
