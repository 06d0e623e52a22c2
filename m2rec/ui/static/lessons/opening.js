// @ts-check
// The first ten seconds: one question and three buttons, each a real action whose result is outlined. Gone for good once used or closed.
import { all, around } from "../page/dom.js";
import { EVIDENCE, percent } from "../page/wording.js";

/** @typedef {import("../page/page.js").Page} Page */

const USED = "m2rec-opening"; // read before the first paint too: page.html.j2
const SHOWN = 6000; // ms that a result stays outlined

/** @param {Page} page */
export function startOpening(page) {
  const opening = page.find("[data-opening]");
  const first = page.state;
  const preset = opening.dataset.preset;
  const things = (/** @type {string[]} */ items) => [...items].sort().join();
  let fading = 0;
  let closed = false;

  page.root.addEventListener("m2:shown", () => {
    opening.hidden = closed || things(page.state.history) !== things(first.history); // it speaks of this history alone
  });

  /** The history that the line speaks of, with nothing set by hand. */
  async function restore() {
    if (page.state.history.join() !== first.history.join()) await page.act({ type: "preset", value: preset });
    else if (page.state.gate_override || page.state.band_mask.length) await page.act({ type: "release" });
  }

  /** @param {string[]} selectors what the action changed */
  function outline(...selectors) {
    clearTimeout(fading);
    for (const one of all(page.root, ".result")) one.classList.remove("result");
    for (const selector of selectors) page.seek(selector)?.classList.add("result");
    fading = setTimeout(() => outline(), SHOWN);
    if (selectors.length) page.seek(selectors[0])?.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} item */
  function chance(item) {
    const { gates, candidates, ranking } = page.view;
    const found = candidates.find(({ item_id }) => item_id === item);
    if (!found || !ranking.includes(item)) return "less than any that is shown";
    return percent(EVIDENCE.reduce((sum, { key }) => sum + gates[key] * found.branches[key], 0));
  }

  /** What happens to the first card, in words. @param {string} what @param {() => Promise<unknown>} change */
  async function compare(what, change) {
    const item = page.view.ranking[0];
    const title = page.view.candidates.find(({ item_id }) => item_id === item)?.title ?? item;
    const before = chance(item);
    await change();
    page.say(`${what}: ${title} had ${before}, now ${chance(item)}.`);
  }

  const deeds = {
    async find() {
      await restore();
      await page.act({ type: "fold", every: Number(opening.dataset.fold) });
      outline(".history", ".spectrum");
    },
    async break() {
      await restore();
      await compare("The same things in another order", () => page.act({ type: "shuffle" }));
      outline(".history", ".spectrum", ".next");
    },
    async off() {
      await restore();
      await compare("Without rhythm's weight", () => page.act({ type: "override", branch: "frequency", weight: 0, current: page.view.gates }));
      outline(".next", ".gate");
    },
  };

  opening.addEventListener("click", (event) => {
    const button = around(event, "button");
    const deed = button?.dataset.deed;
    if (deed === "find" || deed === "break" || deed === "off") deeds[deed]();
    if (button && "openingClose" in button.dataset) closed = opening.hidden = true;
    if (button) remember();
  });
}

function remember() {
  try {
    localStorage.setItem(USED, "used");
  } catch {
    // a browser that stores nothing shows the opening again
  }
}
