// @ts-check
// A slider, two buttons and Play, in a dialog that shows one day of a history at a time.
import { all, around } from "../page/dom.js";

/** How a dialog shows a day; it calls `drawn` as soon as the day can be seen. False, where it cannot. @typedef {(day: number, drawn: () => void) => Promise<boolean>} Show */

const PACE = 800; // ms a day while it plays

/**
 * @param {import("../page/page.js").Page} page
 * @param {Record<string, Show>} shows by what the dialog shows
 */
export function startPlayer(page, shows) {
  const { dialog } = page;
  /** The day that is wanted, of several the newest. @type {number | null} */
  let wanted = null;
  /** The day that is on its way, if one is: a step during it counts from there. @type {number | null} */
  let coming = null;
  let playing = false;

  const slider = () => /** @type {HTMLInputElement | undefined} */ (all(dialog, "[data-play-day]")[0]);

  dialog.addEventListener("input", ({ target }) => {
    if (target !== slider()) return;
    playing = false;
    show(Number(slider()?.value));
  });
  dialog.addEventListener("click", (event) => {
    const range = slider();
    if (!range) return;
    const step = around(event, "[data-play-step]");
    const day = around(event, "[data-play-to]");
    if (step || day) {
      playing = false;
      show(day ? Number(day.dataset.playTo) : stepped(range, Number(step?.dataset.playStep)));
    }
    if (!around(event, "[data-play]")) return;
    playing = !playing;
    mark();
    if (playing) show(range.value === range.max ? Number(range.min) : Number(range.value) + 1);
  });
  dialog.addEventListener("close", () => {
    playing = false;
    wanted = null;
  });

  /** @param {number} day */
  async function show(day) {
    wanted = day;
    mark();
    if (coming !== null) return;
    while (wanted !== null) {
      const asked = wanted;
      coming = asked;
      wanted = null;
      const shown = await shows[dialog.dataset.shows ?? ""]?.(asked, () => count(asked));
      const range = slider();
      if (!shown || !range) break;
      if (wanted === null && playing) await next(range);
    }
    coming = null;
    mark();
  }

  /** @param {number} day */
  function count(day) {
    const range = slider();
    if (range && wanted === null) range.value = String(day); // a slider that is dragged on stays with the finger
    mark();
  }

  /**
   * @param {HTMLInputElement} range
   * @param {number} by
   */
  function stepped(range, by) {
    const day = (wanted ?? coming ?? Number(range.value)) + by;
    return Math.min(Number(range.max), Math.max(Number(range.min), day));
  }

  /**
   * The next day after a while, if it still plays then.
   * @param {HTMLInputElement} range
   */
  async function next(range) {
    playing = range.value !== range.max;
    if (!playing) return;
    await new Promise((done) => setTimeout(done, PACE));
    if (playing && wanted === null && range.isConnected) wanted = Number(range.value) + 1;
  }

  function mark() {
    const range = slider();
    for (const button of all(dialog, "[data-play]")) {
      button.setAttribute("aria-pressed", String(playing));
      button.classList.toggle("on", playing);
    }
    if (!range) return;
    const at = `after ${range.value} of ${range.max}`;
    range.setAttribute("aria-valuetext", at);
    for (const place of all(dialog, "[data-play-at]")) place.textContent = at;
    for (const button of all(dialog, "[data-play-step]")) {
      /** @type {HTMLButtonElement} */ (button).disabled = range.value === (button.dataset.playStep === "1" ? range.max : range.min);
    }
  }
}
