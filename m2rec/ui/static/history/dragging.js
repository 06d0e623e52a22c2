// @ts-check
// Dragging a chip to another place. A mouse takes it at once; a finger has to rest on it first, so that it can still scroll.
import { around } from "../page/dom.js";

const REST = 350; // ms
const SLACK = 6; // px: less is a click, or a finger that does not quite rest
const EDGE = 20; // px from the top or bottom of the list, where it scrolls along
const STEP = 12; // px

/** @typedef {{ chip: HTMLElement, x: number, y: number, over: HTMLElement | null, taken: boolean, rest?: number }} Held */

/**
 * @param {HTMLElement} region
 * @param {(from: number, to: number) => void} move called with the two positions once a chip was put down on another
 */
export function startDragging(region, move) {
  /** @type {Held | null} */
  let held = null;

  /** @param {Held} one */
  function take(one) {
    one.taken = true;
    one.chip.classList.add("taken");
  }

  function release() {
    if (!held) return;
    clearTimeout(held.rest);
    held.chip.classList.remove("taken");
    held.chip.style.translate = "";
    held.over?.classList.remove("drop");
    held = null;
  }

  /**
   * The chip follows; the one below it, if any, is where it would go.
   * @param {Held} one
   * @param {PointerEvent} event
   */
  function follow(one, { clientX, clientY }) {
    one.chip.style.translate = `${clientX - one.x}px ${clientY - one.y}px`;
    const over = /** @type {HTMLElement | null} */ (document.elementFromPoint(clientX, clientY)?.closest(".chip") ?? null);
    if (over !== one.over) {
      one.over?.classList.remove("drop");
      over?.classList.add("drop");
      one.over = over;
    }
    const list = one.chip.parentElement;
    if (!list) return;
    const { top, bottom } = list.getBoundingClientRect();
    const before = list.scrollTop;
    if (clientY < top + EDGE) list.scrollTop -= STEP;
    else if (clientY > bottom - EDGE) list.scrollTop += STEP;
    one.y -= list.scrollTop - before; // it stays under the finger
  }

  region.addEventListener("pointerdown", (event) => {
    const chip = around(event, ".chip-main")?.parentElement;
    if (!chip || !event.isPrimary || event.button !== 0) return;
    release();
    /** @type {Held} */
    const one = { chip, x: event.clientX, y: event.clientY, over: null, taken: false };
    if (event.pointerType !== "mouse") one.rest = setTimeout(() => take(one), REST);
    held = one;
  });
  addEventListener("pointermove", (event) => {
    if (!held || !event.isPrimary) return;
    if (!held.taken) {
      if (Math.hypot(event.clientX - held.x, event.clientY - held.y) < SLACK) return;
      if (event.pointerType !== "mouse") return release(); // it is scrolling
      take(held);
    }
    follow(held, event);
  });
  addEventListener("pointerup", () => {
    const done = held;
    release();
    if (done?.over) move(Number(done.chip.dataset.at), Number(done.over.dataset.at));
  });
  addEventListener("pointercancel", release);
  addEventListener("keydown", (event) => event.key === "Escape" && release());
  region.addEventListener("touchmove", (event) => held?.taken && event.preventDefault(), { passive: false });
  region.addEventListener("contextmenu", (event) => held?.rest && event.preventDefault()); // a finger that rests is no menu
}
