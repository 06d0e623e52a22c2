// @ts-check
// What the browser remembers: each change is a step of its history, so Back and Forward work and a reload loses nothing. The
// address follows the lesson and the open tab; the theme is kept on the device.
import { openTab } from "../sections/sections.js";

/** @typedef {import("./page.js").Page} Page */

const THEME = "m2rec-theme"; // read before the first paint too: page.html.j2

/**
 * Shows what was there before a reload.
 * @param {Page} page
 * @returns {Promise<boolean>} whether there was anything
 */
export async function reopen(page) {
  const { session, first } = history.state ?? {};
  if (!session || first) return false;
  page.view = { ...page.view, session };
  return page.act({ type: "show" });
}

/** @param {Page} page */
export function startMemory(page) {
  const theme = recalled(THEME);
  if (theme === "light" || theme === "dark") {
    page.view.theme = theme;
    page.state.theme = theme;
  }
  if (!history.state?.session) history.replaceState({ session: page.view.session, first: true }, "");
  let { link } = page.view;
  let going = false; // back or forward, which are steps that the browser has already

  page.root.addEventListener("m2:shown", () => {
    const { session } = page.view;
    keep(THEME, page.state.theme);
    const changed = page.view.link !== link;
    link = page.view.link;
    if (going || !changed) history.replaceState({ ...history.state, session }, "", addressOf(page));
    else history.pushState({ session }, "", addressOf(page));
  });
  page.root.addEventListener("m2:tab", () => {
    const address = new URL(location.href);
    address.hash = openTab(page);
    history.replaceState(history.state, "", address);
  });
  addEventListener("popstate", async ({ state }) => {
    if (!state?.session) return;
    going = true;
    page.view = { ...page.view, session: { ...state.session, state: { ...state.session.state, theme: page.state.theme } } };
    await page.act({ type: "show" });
    going = false;
  });
}

/**
 * The page's address for what it shows: it names the lesson and the open tab, and nothing that is not so any more.
 * @param {Page} page
 */
function addressOf(page) {
  const address = new URL(location.href);
  for (const name of ["s", "lesson", "world"]) address.searchParams.delete(name);
  if (page.state.lesson) address.searchParams.set("lesson", page.state.lesson);
  address.hash = openTab(page);
  return address;
}

/**
 * @param {string} name
 * @param {string} value
 */
function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // a browser that stores nothing: the next visit begins anew
  }
}

/** @param {string} name */
function recalled(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
