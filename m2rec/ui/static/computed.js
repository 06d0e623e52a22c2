// @ts-check
// How a recommendation was computed, after another day: the view comes from the server and is put in place of the last.
import { Idiomorph } from "./vendor/idiomorph.esm.js";
import { around } from "./dom.js";

/**
 * @param {import("./page.js").Page} page
 * @returns {import("./player.js").Show}
 */
export function computedShow(page) {
  const { dialog } = page;
  let item = "";
  page.root.addEventListener("click", (event) => {
    const opener = around(event, "[data-dialog-open='computed']");
    if (opener) item = opener.dataset.itemId ?? "";
  });
  return async (day) => {
    const reply = await page.ask("ask", () => ({ session: page.view.session, what: "computed", text: item, day }));
    if (!reply || !dialog.open || dialog.dataset.shows !== "computed") return false;
    Idiomorph.morph(dialog, String(reply.html), { morphStyle: "innerHTML", ignoreActiveValue: true, callbacks: { beforeAttributeUpdated: keepOpen } });
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
