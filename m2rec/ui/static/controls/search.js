// @ts-check
// The search box: a combobox whose hits come from the server while one types, by keyboard alone if one likes.
import { all, around } from "../page/dom.js";

/** @typedef {import("../types").Hit} Hit */

const PAUSE = 90; // ms of quiet before a search is sent
const SLOW = 400; // ms before it is said that an item of one's own is being read: the first loads the text encoder
const LONGEST = 199; // characters of a title, or of an item of one's own words

/** @param {import("../page/page.js").Page} page */
export function startSearch(page) {
  /** @type {HTMLInputElement} */
  const input = page.find("#m2-search");
  const list = page.find("#m2-hits");
  let timer = 0;
  let active = -1;
  /** What the list answers; null while nothing has been asked. @type {string | null} */
  let answered = null;
  /** The search under way, if any. @type {{ query: string, done: Promise<boolean> } | null} */
  let asking = null;

  const options = () => all(list, "[role=option]");

  function close() {
    clearTimeout(timer);
    asking = null;
    answered = null;
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  /** @param {number} index */
  function point(index) {
    const there = options();
    if (!there.length) return;
    active = (index + there.length) % there.length;
    there.forEach((option, place) => option.setAttribute("aria-selected", String(place === active)));
    input.setAttribute("aria-activedescendant", there[active].id);
    there[active].scrollIntoView({ block: "nearest" });
  }

  /** @param {Hit[]} hits */
  function fill(hits) {
    const found = hits.map((hit, place) => option(place, hit.item_id, hit.title));
    found.forEach((one, place) => {
      const group = document.createElement("span");
      group.className = "group";
      group.textContent = hits[place].group;
      one.append(group);
    });
    const words = input.value.trim();
    if (words) {
      // the last hit: whatever was typed, as an item that the world does not have
      const invention = option(hits.length, `~${words}`, `Invent “${words}” as an item of your own`);
      invention.className = "invent";
      found.push(invention);
    }
    list.replaceChildren(...found);
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    active = -1;
    if (words) point(0);
  }

  /**
   * @param {number} place
   * @param {string} item
   * @param {string} text
   */
  function option(place, item, text) {
    const made = document.createElement("li");
    Object.assign(made, { id: `m2-hit-${place}`, textContent: text, role: "option", ariaSelected: "false" });
    made.dataset.item = item;
    return made;
  }

  /** Asks for what stands in the box now. → whether the list holds the answer to it */
  function search() {
    clearTimeout(timer);
    const query = input.value;
    if (query.length > LONGEST) {
      close();
      page.say(`Titles have at most ${LONGEST} characters, and this text has ${query.length}: shorten it. A list is pasted by “Paste a list”.`, "error");
      return Promise.resolve(false);
    }
    if (answered === query && !list.hidden) return Promise.resolve(true);
    if (asking?.query === query) return asking.done;
    const done = page.ask("search", () => ({ world: page.state.world, query })).then((reply) => {
      if (asking?.done !== done) return false; // something else was asked meanwhile
      asking = null;
      if (!reply?.hits || document.activeElement !== input) return false;
      answered = query;
      fill(reply.hits);
      return true;
    });
    asking = { query, done };
    return done;
  }

  /** @param {HTMLElement} option */
  async function take(option) {
    const item = option.dataset.item ?? "";
    close();
    if (item.startsWith("~")) await invent(item);
    else {
      input.value = "";
      await page.act({ type: "add", item_id: item });
    }
    input.focus();
  }

  /**
   * The words stay in the box until their item is there.
   * @param {string} item
   */
  async function invent(item) {
    const slow = setTimeout(() => page.say(`“${item.slice(1)}” is being read. The first item of your own takes some seconds.`), SLOW);
    input.readOnly = true;
    const done = await page.act({ type: "add", item_id: item });
    clearTimeout(slow);
    input.readOnly = false;
    if (done) input.value = "";
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
  input.addEventListener("keydown", async (event) => {
    if (input.readOnly) return;
    if (event.key === "Escape") return close();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) search();
      else point(active + (event.key === "ArrowDown" ? 1 : -1));
    }
    if (event.key === "Enter") {
      event.preventDefault();
      if (list.hidden && !input.value.trim()) return;
      if (!(await search())) return; // of its own query, never of an older one
      const chosen = options()[active];
      if (chosen) take(chosen);
    }
  });
  input.addEventListener("blur", () => setTimeout(close, 120));
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = around(event, "[role=option]");
    if (option) take(option);
  });
}
