// @ts-check
// The history's chips: one stop of the Tab key, arrows inside; Delete removes, Alt+arrows or dragging move.
import { all, around } from "../page/dom.js";
import { startDragging } from "./dragging.js";
import { placesIn } from "../answer/plotted.js";

/** @typedef {import("../page/page.js").Page} Page */

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

  region.addEventListener("pointerover", (event) => {
    const chip = around(event, ".chip");
    showColumn(page, chip ? Number(chip.dataset.at) - page.view.unread : null);
  });
  region.addEventListener("pointerleave", () => showColumn(page, null));

  startDragging(region, (at, to) => page.act({ type: "move", at, to }));

  /** @type {HTMLElement | null} */
  let watched = null;
  let looked = page.state.period;
  page.root.addEventListener("m2:shown", newest);
  newest();

  /** The newest chips are shown; those that are ringed, where some are, and a mark says that there is more above. */
  function newest() {
    const list = all(region, ".chips")[0];
    if (!list) return;
    const ring = all(list, ".ring")[0];
    list.scrollTop = ring && page.state.period !== looked ? ring.offsetTop - list.offsetTop : list.scrollHeight;
    looked = page.state.period;
    if (ring && list.scrollHeight > list.clientHeight) list.scrollIntoView({ block: "nearest" });
    mark(list);
    if (watched === list) return;
    watched = list;
    list.addEventListener("scroll", () => mark(list), { passive: true });
    new ResizeObserver(() => newest()).observe(list);
  }

  /** @param {HTMLElement} list */
  function mark(list) {
    list.classList.toggle("more-above", list.scrollTop > 4);
    list.classList.toggle("more-below", list.scrollTop + list.clientHeight < list.scrollHeight - 4);
  }
}

/**
 * Marks the gate's column of an interaction, or none.
 * @param {Page} page
 * @param {number | null} place counted from what the model reads first
 */
function showColumn(page, place) {
  const mark = page.find("#m2-column");
  const figure = page.view.figures.gate;
  mark.hidden = place === null || place < 0 || !figure?.data.length;
  if (mark.hidden || place === null || !figure) return;
  const places = placesIn(figure, page.find("#m2-gate-plot"));
  mark.style.left = `${places.left(place + 0.5)}px`;
  mark.style.width = `${places.left(place + 1.5) - places.left(place + 0.5)}px`;
  mark.style.top = `${places.top(1)}px`;
  mark.style.height = `${places.bottom - places.top(1)}px`;
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
