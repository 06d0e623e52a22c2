// @ts-check
// Lessons, results, own data and about: tabs below the page, each fetched when it is opened.
import { all } from "./dom.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** @param {import("./page.js").Page} page */
export function startSections(page) {
  const panel = page.find("#m2-section");
  const tabs = all(page.root, "[data-section]");

  /** @param {HTMLElement} tab */
  async function toggle(tab) {
    const opening = tab.getAttribute("aria-selected") !== "true";
    if (opening) {
      const reply = await page.ask("ask", () => ({ session: page.view.session, what: "section", text: tab.dataset.section }));
      if (!reply) return;
      panel.innerHTML = String(reply.html);
      panel.setAttribute("aria-labelledby", tab.id);
    }
    for (const other of tabs) {
      other.setAttribute("aria-selected", String(opening && other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    }
    panel.hidden = !opening;
    if (opening) panel.scrollIntoView({ block: "start", behavior: CALM.matches ? "auto" : "smooth" });
  }

  tabs.forEach((tab, place) => {
    tab.addEventListener("click", () => toggle(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const side = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (side) tabs[(place + side + tabs.length) % tabs.length].focus();
    });
  });
  page.root.addEventListener("m2:shown", () => {
    if (page.state.lesson && !panel.hidden) {
      tabs.forEach((tab) => tab.setAttribute("aria-selected", "false"));
      panel.hidden = true;
      page.root.scrollIntoView();
    }
  });
}
