// @ts-check
// The gate while it is dragged: p = Σ g·p_m over the candidates' three probabilities, at the screen's rate. Letting go asks the server.
import { all } from "../page/dom.js";
import { EVIDENCE, numbered, percent } from "../page/wording.js";

/** @typedef {import("../page/page.js").Page} Page */
/** @typedef {import("../types").Shares} Shares */
/** @typedef {import("../types").Candidate} Candidate */
/** @typedef {import("../types").BranchName} BranchName */

/**
 * The gate with one weight set by hand; the other two share the rest as they did before.
 * @param {Shares} current
 * @param {BranchName} set
 * @param {number} weight
 * @returns {Shares}
 */
export function overridden(current, set, weight) {
  const others = EVIDENCE.map(({ key }) => key).filter((key) => key !== set);
  const before = others.reduce((sum, key) => sum + current[key], 0);
  const gates = { ...current, [set]: weight };
  for (const key of others) gates[key] = (1 - weight) * (before > 0 ? current[key] / before : 1 / others.length);
  return gates;
}

/**
 * Moves a slider to a weight, with the number beside it and what is read out.
 * @param {HTMLInputElement} slider
 * @param {number} weight
 */
export function setSlider(slider, weight) {
  slider.value = (100 * weight).toFixed(0);
  slider.style.setProperty("--at", `${(100 * weight).toFixed(1)}%`);
  slider.setAttribute("aria-valuetext", percent(weight));
  const value = slider.parentElement?.querySelector(".value");
  if (value) value.textContent = percent(weight);
}

/**
 * The best candidates under a gate, with their shares.
 * @param {Candidate[]} candidates
 * @param {Shares} gates
 * @param {number} k
 */
export function ranked(candidates, gates, k) {
  return candidates
    .map((item) => {
      const shares = EVIDENCE.map(({ key }) => gates[key] * item.branches[key]);
      return { item, shares, total: shares.reduce((sum, share) => sum + share, 0) };
    })
    .sort((one, other) => other.total - one.total)
    .slice(0, k);
}

/** @param {Page} page */
export function startGate(page) {
  const region = page.find('[data-region="gate"]');
  /** What the next frame will show. @type {Shares | null} */
  let wanted = null;
  /** Whether the finger that moved a slider turned out to scroll the page. */
  let scrolled = false;

  region.addEventListener("pointerdown", () => (scrolled = false));
  region.addEventListener("pointercancel", () => {
    scrolled = true;
    page.act({ type: "show" }); // as it was
  });

  region.addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || !target.dataset.weight || scrolled) return;
    const set = /** @type {BranchName} */ (target.dataset.weight);
    if (!wanted) requestAnimationFrame(draw);
    wanted = overridden(page.view.gates, set, Number(target.value) / 100);
  });
  region.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || !target.dataset.weight || scrolled) return;
    page.act({ type: "override", branch: target.dataset.weight, weight: Number(target.value) / 100, current: page.view.gates });
  });

  function draw() {
    if (!wanted) return;
    const gates = wanted;
    wanted = null;
    for (const slider of /** @type {HTMLInputElement[]} */ (all(region, "[data-weight]"))) {
      setSlider(slider, gates[/** @type {BranchName} */ (slider.dataset.weight)]);
    }
    const best = ranked(page.view.candidates, gates, page.state.k);
    if (!best.length) return;
    drawCards(page, best);
    drawSentence(page, best[0]);
  }
}

/** @typedef {ReturnType<typeof ranked>[number]} Ranked */

/**
 * The cards as the server would draw them: the same elements, in their new order.
 * @param {Page} page
 * @param {Ranked[]} best
 */
function drawCards(page, best) {
  const list = page.seek(".cards:not(.plain)");
  const pattern = list?.querySelector(".card[id]");
  if (!list || !pattern) return;
  const places = page.places();
  const there = new Map(all(list, ".card[id]").map((card) => [card.dataset.item, card]));
  const widest = Math.max(...best.map(({ total }) => total));
  const cards = best.map((one, at) => {
    const card = there.get(one.item.item_id) ?? /** @type {HTMLElement} */ (pattern.cloneNode(true));
    fill(card, one, at + 1, widest, moveOf(page.view.ranking, one.item.item_id, at + 1));
    return card;
  });
  const same = cards.length === list.children.length && cards.every((card, at) => card === list.children[at]);
  if (same) return;
  list.replaceChildren(...cards);
  page.glide(places);
}

/**
 * How far an item moved since the answer that the server gave.
 * @param {string[]} before
 * @param {string} item
 * @param {number} rank
 */
function moveOf(before, item, rank) {
  const at = before.indexOf(item);
  if (at < 0) return { way: "new", text: "from below", said: ", was not in the list before" };
  const up = at + 1 - rank;
  if (!up) return null;
  return up > 0 ? { way: "up", text: `▲${up}`, said: `, up ${up}` } : { way: "down", text: `▼${-up}`, said: `, down ${-up}` };
}

/**
 * @param {HTMLElement} card
 * @param {Ranked} one
 * @param {number} rank
 * @param {number} widest
 * @param {ReturnType<typeof moveOf>} move
 */
function fill(card, { item, shares, total }, rank, widest, move) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (card.querySelector(name));
  const open = part(".card-open");
  const add = part(".add");
  card.id = `card-${item.item_id}`;
  card.dataset.item = item.item_id;
  open.dataset.itemId = item.item_id;
  const parts = EVIDENCE.map(({ name }, at) => `${name.toLowerCase()} ${percent(shares[at])}`).join(", ");
  open.setAttribute("aria-label", `${rank}: ${item.title}, ${percent(total)}${move ? move.said : ""}; ${parts}; show details`);
  part(".rank").textContent = String(rank);
  part(".title").textContent = item.title;
  part(".group").textContent = item.group;
  part(".chance").textContent = percent(total);
  card.querySelector(".moved")?.remove();
  if (move) {
    const moved = Object.assign(document.createElement("span"), { className: `moved ${move.way}`, textContent: move.text });
    part(".group").after(moved);
  }
  all(card, ".bar .fill").forEach((bar, at) => (bar.style.width = `${((100 * shares[at]) / widest).toFixed(3)}%`));
  add.dataset.act = JSON.stringify({ item_id: item.item_id, type: "add" });
  add.setAttribute("aria-label", `Add ${item.title} to the history`);
}

/**
 * @param {Page} page
 * @param {Ranked} first
 */
function drawSentence(page, { item, shares, total }) {
  const lead = shares.indexOf(Math.max(...shares));
  const { key, plain } = EVIDENCE[lead];
  page.seek(".what-if")?.remove(); // it was computed under another gate
  page
    .find(".reading p")
    .replaceChildren(
      `You set the gate by hand: ${item.title} comes first with `,
      numbered(percent(total), key),
      ", and ",
      numbered(percent(shares[lead] / total), key),
      ` of that comes from ${plain}.`,
    );
}
