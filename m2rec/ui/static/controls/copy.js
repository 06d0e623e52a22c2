// @ts-check
// Buttons that copy the text beside them.
import { around } from "../page/dom.js";

/** @param {import("../page/page.js").Page} page */
export function startCopying(page) {
  page.root.addEventListener("click", async (event) => {
    const text = around(event, "[data-copy]")?.parentElement?.querySelector("pre")?.textContent;
    if (!text) return;
    try {
      await navigator.clipboard.writeText(text);
      page.say("Copied.");
    } catch {
      page.say("The browser does not let the page copy: select the line and copy it yourself.");
    }
  });
}
