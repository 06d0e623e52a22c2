// @ts-check
// Buttons, menus and sliders: what they ask for stands on them (`data-act` and the like), and is sent from here.
import { downloadFigure } from "../answer/charts.js";
import { all, around } from "../page/dom.js";
import { openTab } from "../sections/sections.js";

/** @typedef {import("../page/page.js").Page} Page */

/** @param {Page} page */
export function startControls(page) {
  page.root.addEventListener("click", (event) => {
    const button = around(event, "button");
    if (!button) return;
    if (button.dataset.act) page.act(JSON.parse(button.dataset.act));
    if ("copyLink" in button.dataset) copyLink(page);
    if (button.dataset.export) {
      close(button.closest("details"));
      save(page, button.dataset.export);
    }
  });
  page.root.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
    const { choose, set } = target.dataset;
    const value = target instanceof HTMLInputElement && target.type === "checkbox" ? target.checked : target.value;
    if (choose && value) page.act({ type: choose, value });
    if (set) page.act({ type: "set", [set]: set === "k" ? Number(value) : value });
  });
  document.addEventListener("click", ({ target }) => {
    for (const menu of all(page.root, "details.menu[open]")) if (!menu.contains(/** @type {Node} */ (target))) close(menu);
  });
}

/** @param {HTMLElement | null} menu */
function close(menu) {
  if (menu instanceof HTMLDetailsElement) menu.open = false;
}

/**
 * @param {Page} page
 * @param {string} what
 */
async function save(page, what) {
  await page.waiting;
  const figure = page.view.figures[what.split(".")[0]];
  if (what.includes(".")) return figure && downloadFigure(page, figure, what);
  const reply = await page.ask("ask", () => ({ session: page.view.session, what }));
  if (!reply?.file) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([reply.file.text], { type: reply.file.media_type }));
  link.download = reply.file.name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** @param {Page} page */
async function copyLink(page) {
  await page.waiting; // the link is of what the last click led to
  const link = new URL(location.href);
  link.search = "";
  link.hash = openTab(page);
  link.searchParams.set("s", page.view.link);
  history.replaceState(null, "", link);
  try {
    await navigator.clipboard.writeText(link.href);
    page.say("Link copied: it opens exactly what you see.");
  } catch {
    page.say("The link is now in the address bar: copy it from there.");
  }
}
