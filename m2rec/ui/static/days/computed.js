// @ts-check
// How a recommendation was computed, after another day: the view comes from the server and is put in place of the last.
// Days that were shown are kept while the dialog is open, and the next one is asked for while one looks at this one.
import { Idiomorph } from "../vendor/idiomorph.esm.js";
import { all, around } from "../page/dom.js";

/**
 * @param {import("../page/page.js").Page} page
 * @returns {import("./player.js").Show}
 */
export function computedShow(page) {
  const { dialog } = page;
  let item = "";
  /** Views by day, and those on their way. @type {Map<number, Promise<string | null>>} */
  let days = new Map();
  let last = 0;
  page.root.addEventListener("click", (event) => {
    const opener = around(event, "[data-dialog-open='computed']");
    if (opener) item = opener.dataset.itemId ?? "";
  });
  const slider = () => /** @type {HTMLInputElement | undefined} */ (all(dialog, "[data-play-day]")[0]);
  dialog.addEventListener("m2:opened", (event) => {
    last = Number(slider()?.value);
    days = new Map([[last, Promise.resolve(String(/** @type {CustomEvent} */ (event).detail.html))]]); // of this item and history alone
  });

  /** @param {number} day */
  function view(day) {
    const kept = days.get(day);
    if (kept) return kept;
    const asked = page
      .ask("ask", () => ({ session: page.view.session, what: "computed", text: item, day }))
      .then((reply) => (reply ? String(reply.html) : null));
    days.set(day, asked);
    const of = days;
    asked.then((html) => html === null && of.delete(day)); // what failed is asked for again
    return asked;
  }

  return async (day, drawn) => {
    const html = await view(day);
    if (html === null || !dialog.open || dialog.dataset.shows !== "computed") return false;
    Idiomorph.morph(dialog, html, { morphStyle: "innerHTML", ignoreActiveValue: true, callbacks: { beforeAttributeUpdated: keepOpen } });
    drawn();
    const next = day + Math.sign(day - last);
    last = day;
    const range = slider();
    if (range && next >= Number(range.min) && next <= Number(range.max)) view(next);
    return true;
  };
}

/**
 * @param {string} name
 * @param {Element} element
 */
function keepOpen(name, element) {
  return !(name === "open" && element.tagName === "DETAILS");
}
