// @ts-check
// The history's chips: one stop of the Tab key, arrows inside; Delete removes, Alt+arrows or dragging move.
import { all, around } from "./dom.js";
import { startDragging } from "./dragging.js";

/** @typedef {import("./page.js").Page} Page */

const SIDES = new Map([
  ["ArrowLeft", -1],
  ["ArrowRight", 1],
]);
const ROWS = new Map([
  ["ArrowUp", -1],
  ["ArrowDown", 1],
]);

/** @param {Page} page */
export function startHistory(page) {
  const region = page.find('[data-region="history"]');
  const chips = () => all(region, ".chip");
  const button = (/** @type {HTMLElement} */ chip) => /** @type {HTMLElement} */ (chip.querySelector(".chip-main"));

  /** @param {number} index */
  function focus(index) {
    const there = chips();
    if (!there.length) return page.find("#m2-search").focus();
    const place = Math.max(0, Math.min(index, there.length - 1));
    there.forEach((chip, at) => (button(chip).tabIndex = at === place ? 0 : -1));
    button(there[place]).focus();
  }

  region.addEventListener("keydown", async (event) => {
    const chip = around(event, ".chip");
    if (!chip) return;
    const at = Number(chip.dataset.at);
    const side = SIDES.get(event.key);
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
    } else if (ROWS.has(event.key) && page.state.fold) {
      event.preventDefault();
      const to = at + (ROWS.get(event.key) ?? 0) * page.state.fold;
      if (to >= 0 && to < chips().length) focus(to);
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      focus(event.key === "Home" ? 0 : Infinity);
    }
  });

  region.addEventListener("click", (event) => {
    const chip = around(event, ".chip-main")?.parentElement;
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

/**
 * Lights up the chips at these positions of the whole history, and only those.
 * @param {Page} page
 * @param {number[]} positions
 * @param {boolean} beat whether they share a period
 */
export function light(page, positions, beat = false) {
  const lit = new Set(positions);
  for (const chip of all(page.root, ".chip")) {
    chip.classList.toggle("lit", lit.has(Number(chip.dataset.at)));
    chip.classList.toggle("beat", beat && lit.has(Number(chip.dataset.at)));
  }
}
