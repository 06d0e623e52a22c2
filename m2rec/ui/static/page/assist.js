// @ts-check
// For who works by keyboard or listens: what an action led to is announced, the focus stays where it was, Ctrl+Z undoes, Escape closes.
import { all } from "./dom.js";

/** @typedef {import("./page.js").Page} Page */

const FOCUSABLE = "button:enabled, input:enabled, select:enabled, summary, [tabindex='0']";

/** @param {Page} page */
export function startAssist(page) {
  const announced = page.find("[data-announce]");
  /** Where the focus was: the element, and the region that may be drawn anew around it. @type {{ element: HTMLElement, region: HTMLElement | null } | null} */
  let held = null;

  page.root.addEventListener("focusin", ({ target }) => {
    const element = /** @type {HTMLElement} */ (target);
    held = { element, region: element.closest("[data-region], dialog, section") };
  });

  page.root.addEventListener("m2:shown", () => {
    const sentence = page.seek(".reading p")?.textContent?.trim() ?? "";
    if (announced.textContent !== sentence) announced.textContent = sentence;
    requestAnimationFrame(keepFocus); // once all has been drawn
  });
  page.dialog.addEventListener("close", () => requestAnimationFrame(keepFocus));

  function keepFocus() {
    const now = document.activeElement;
    if (!held || (now && now !== document.body && !now.matches(":disabled"))) return;
    const { element, region } = held;
    if (element.isConnected && !element.matches(":disabled") && element.checkVisibility()) return element.focus();
    const inside = region?.isConnected && !(region instanceof HTMLDialogElement) ? region : page.find("#m2-cards");
    all(inside, FOCUSABLE)[0]?.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return closeMenus(page);
    const writing = event.target instanceof HTMLElement && event.target.closest("input:not([type=range], [type=checkbox]), textarea");
    if (!(event.ctrlKey || event.metaKey) || event.altKey || writing || page.dialog.open) return;
    const key = event.key.toLowerCase();
    const type = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
    if (!type) return;
    event.preventDefault();
    page.act({ type });
  });
}

/** @param {Page} page */
function closeMenus(page) {
  for (const menu of all(page.root, "details.menu[open]")) {
    if (!(menu instanceof HTMLDetailsElement)) continue;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
}
