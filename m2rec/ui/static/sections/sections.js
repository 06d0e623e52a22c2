// @ts-check
// Lessons, results, the market's test, own data and about: tabs below the page, each fetched when it is opened.
import { all, around } from "../page/dom.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** @typedef {import("../page/page.js").Page} Page */

/**
 * The name of the open tab, or nothing.
 * @param {Page} page
 */
export function openTab(page) {
  return page.seek("[data-section][aria-selected='true']")?.dataset.section ?? "";
}

/**
 * @param {Page} page
 * @returns {(name: string) => void} opens the tab of that name, if there is one
 */
export function startSections(page) {
  const panel = page.find("#m2-section");
  const tabs = all(page.root, "[data-section]");

  const selected = () => tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
  let { world } = page.state;

  /**
   * @param {HTMLElement} tab
   * @param {boolean} opening
   */
  async function toggle(tab, opening = tab !== selected()) {
    if (opening) {
      const reply = await page.ask("ask", () => ({ session: page.view.session, what: "section", text: tab.dataset.section }));
      if (!reply) return;
      panel.innerHTML = String(reply.html);
      panel.setAttribute("aria-labelledby", tab.id);
      for (const origin of all(panel, "[data-origin]")) origin.textContent = location.origin + location.pathname;
    }
    for (const other of tabs) {
      other.setAttribute("aria-selected", String(opening && other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    }
    panel.hidden = !opening;
    page.root.dispatchEvent(new CustomEvent("m2:tab"));
    if (opening) panel.scrollIntoView({ block: "start", behavior: CALM.matches ? "auto" : "smooth" });
  }

  /** @param {string | undefined} name */
  function open(name) {
    const tab = tabs.find((one) => one.dataset.section === name);
    if (tab) toggle(tab, true);
  }

  tabs.forEach((tab, place) => {
    tab.addEventListener("click", () => toggle(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const side = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (side) tabs[(place + side + tabs.length) % tabs.length].focus();
    });
  });
  page.root.addEventListener("click", (event) => {
    open(around(event, "[data-open-section]")?.dataset.openSection);
  });

  let { lesson } = page.state;
  page.root.addEventListener("m2:shown", () => {
    const tab = selected();
    const left = lesson && !page.state.lesson;
    if (page.state.lesson && !lesson && tab) {
      toggle(tab, false);
      page.root.scrollIntoView();
    } else if (left && "class" in page.root.dataset) open("lessons"); // a class goes on from the list
    else if (tab && world !== page.state.world) toggle(tab, true); // what it says is of a world
    lesson = page.state.lesson;
    world = page.state.world;
  });

  return open;
}
