// @ts-check
// How a recommendation was computed: stepping through the days, by slider, buttons or by itself. Each day's view comes from the server.
import { Idiomorph } from "./vendor/idiomorph.esm.js";
import { all, around } from "./dom.js";

const PACE = 650; // ms a day while it plays

/** @param {import("./page.js").Page} page */
export function startComputed(page) {
  const { dialog } = page;
  /** The day that is wanted, of several the newest. @type {number | null} */
  let wanted = null;
  let asking = false;
  let playing = false;
  let item = "";

  const slider = () => /** @type {HTMLInputElement | undefined} */ (all(dialog, "[data-computed-day]")[0]);

  dialog.addEventListener("input", ({ target }) => {
    if (target !== slider()) return;
    pause();
    show(Number(slider()?.value));
  });
  page.root.addEventListener("click", (event) => {
    const opener = around(event, "[data-dialog-open='computed']");
    if (opener) item = opener.dataset.itemId ?? "";
  });
  dialog.addEventListener("click", (event) => {
    const step = around(event, "[data-computed-step]");
    const range = slider();
    if (!range) return;
    if (step) {
      pause();
      show(Number(range.value) + Number(step.dataset.computedStep));
    }
    if (!around(event, "[data-computed-play]")) return;
    if (playing) return pause();
    playing = true;
    mark();
    if (range.value === range.max) show(1);
    else show(Number(range.value) + 1);
  });
  dialog.addEventListener("close", () => {
    playing = false;
    wanted = null;
  });

  function pause() {
    playing = false;
    mark();
  }

  function mark() {
    for (const button of all(dialog, "[data-computed-play]")) {
      button.setAttribute("aria-pressed", String(playing));
      button.classList.toggle("on", playing);
    }
  }

  /** @param {number} day */
  async function show(day) {
    wanted = day;
    if (asking) return;
    asking = true;
    while (wanted !== null) {
      const asked = wanted;
      wanted = null;
      const reply = await page.ask("ask", () => ({ session: page.view.session, what: "computed", text: item, day: asked }));
      if (!reply || !slider()) break;
      const dragged = document.activeElement === slider() && wanted !== null;
      Idiomorph.morph(dialog, String(reply.html), { morphStyle: "innerHTML", ignoreActiveValue: dragged, callbacks: { beforeAttributeUpdated: keepOpen } });
      const range = slider();
      if (range && !dragged) range.value = String(asked);
      mark();
      if (wanted === null && playing) await next();
    }
    asking = false;
  }

  /** The next day after a while, if it still plays then. */
  async function next() {
    await new Promise((done) => setTimeout(done, PACE));
    const range = slider();
    if (!range || !playing || wanted !== null) return;
    if (range.value === range.max) pause();
    else wanted = Number(range.value) + 1;
  }
}

/**
 * @param {string} name
 * @param {Element} element
 */
function keepOpen(name, element) {
  return !(name === "open" && element.tagName === "DETAILS");
}
