// @ts-check
// The history folded into rows of n: what comes back every n-th time stands in one column. Two layouts of the same chips.
import { all, around } from "../page/dom.js";
import { light } from "./history.js";
import { curve, placesIn, STEPS } from "../answer/plotted.js";

/** @typedef {import("../page/page.js").Page} Page */

export const SHORTEST = 2;
export const LONGEST = 28;
const LOW = 132; // px for all rows together, beside a lesson or without words
const COMFORTABLE = 19; // px of a row, for which other panels need not give more
const TALL = 180; // px from which other panels give way
const SHARE = { page: 0.31, phone: 0.5 }; // of the screen, so that words can be read: a phone scrolls anyway
const PHONE = 820; // px of a screen's width
const HIGH = 900; // px of a screen's height from which all is larger: layout.css
const TALLEST = { page: 23, high: 29 }; // px of a row
const FLATTEST = 6;
const READABLE = { height: 16, width: 30 }; // px of a chip below which its words are left out
const NARROW = 90; // px of a chip below which there is room for its title alone
const GAP = 2; // px between chips

/**
 * Which chips stand right above or below their like in rows of n, and how many do by chance.
 * @param {string[]} items
 * @param {number} n
 */
export function aligned(items, n) {
  const below = items.map((item, at) => at).filter((at) => at >= n && items[at] === items[at - n]);
  const counts = new Map();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  let pairs = 0;
  for (const times of counts.values()) pairs += times * (times - 1);
  const length = items.length;
  const chance = length > n ? ((length - n) * pairs) / (length * (length - 1)) : 0;
  return { below, chance, positions: [...new Set(below.flatMap((at) => [at - n, at]))].sort((one, other) => one - other) };
}

/** @param {Page} page */
export function startFold(page) {
  const region = page.find('[data-region="history"]');
  const marker = page.find("#m2-marker");
  const plot = page.find("#m2-spectrum-plot");
  /** What is shown while a slider or the marker is being dragged. @type {number | null} */
  let dragged = null;

  const fold = () => dragged ?? page.state.fold;
  const slider = () => /** @type {HTMLInputElement | null} */ (region.querySelector("[data-fold]"));
  const bounded = (/** @type {number} */ n) => Math.max(SHORTEST, Math.min(LONGEST, Math.round(n)));

  /** Shows the fold that holds now, everywhere it appears. */
  function show() {
    const n = fold();
    const list = /** @type {HTMLElement | null} */ (region.querySelector(".chips"));
    if (list) arrange(list, n);
    placeMarker(n);
    const control = slider();
    if (!n || !control) return;
    control.value = String(n);
    control.style.setProperty("--at", `${(100 * (n - SHORTEST)) / (LONGEST - SHORTEST)}%`);
    control.setAttribute("aria-valuetext", words(n));
    const [value] = all(region, "[data-fold-value]");
    const [label] = all(region, "[data-fold-words]");
    if (value) value.textContent = String(n);
    if (label) label.textContent = words(n);
  }

  /**
   * @param {HTMLElement} list
   * @param {number | null} n
   */
  function arrange(list, n) {
    list.classList.toggle("folded", Boolean(n));
    if (!n) return list.classList.remove("tiles", "narrow", "tall");
    const rows = Math.ceil(page.state.history.length / n);
    const [phone, high] = [innerWidth <= PHONE, innerHeight >= HIGH];
    const room = page.state.lesson ? LOW : Math.max(LOW, innerHeight * (phone ? SHARE.phone : SHARE.page));
    const within = (/** @type {number} */ space) => Math.min(high ? TALLEST.high : TALLEST.page, Math.floor(space / rows) - GAP);
    const wanted = phone || high ? within(room) : Math.max(within(LOW), Math.min(within(room), COMFORTABLE));
    const width = list.clientWidth / n - GAP;
    const readable = wanted >= READABLE.height && width >= READABLE.width;
    const height = readable ? wanted : Math.max(FLATTEST, within(LOW));
    list.classList.toggle("tiles", !readable);
    list.classList.toggle("narrow", width < NARROW);
    list.classList.toggle("tall", readable && rows * (height + GAP) > TALL);
    list.style.setProperty("--room", `${readable ? room : LOW}px`);
    list.style.setProperty("--fold", String(n));
    list.style.setProperty("--row", `${height}px`);
    const rings = new Set(aligned(page.state.history, n).positions);
    for (const chip of all(list, ".chip")) chip.classList.toggle("ring", rings.has(Number(chip.dataset.at)));
  }

  /** @param {number} n */
  function words(n) {
    const { below, chance } = aligned(page.state.history, n);
    const power = curve(page.view.figures.spectrum, "power");
    const level = curve(page.view.figures.spectrum, "95 % of shuffled histories stay below");
    const at = power.x.indexOf(n);
    const lined = `In rows of ${n}, ${below.length} of ${page.state.history.length} stand right below the same item${mostly(below)}; shuffled, about ${chance.toFixed(1)} would.`;
    if (at < 0) return `${lined} A period needs two rounds, so the spectrum of this history does not reach ${n}.`;
    return `${lined} Power at period ${n}: ${power.y[at].toFixed(2)}; 95 % of shuffled copies stay below ${level.y[at].toFixed(2)}.`;
  }

  /** @param {number} at */
  const title = (at) => region.querySelector(`.chip[data-at="${at}"] bdi`)?.textContent ?? "";

  /** What most of these are, where they are one thing. @param {number[]} places */
  function mostly(places) {
    const items = page.state.history;
    const times = (/** @type {number} */ at) => places.filter((other) => items[other] === items[at]).length;
    const most = places.find((at) => 2 * times(at) > places.length);
    if (most === undefined) return "";
    return `, ${times(most) < places.length ? "most of them " : places.length > 1 ? "all of them " : ""}${title(most)}`;
  }

  /** Says in full which chip is pointed at or has the focus. @param {HTMLElement | null | undefined} chip */
  function name(chip) {
    const [place] = all(region, "[data-fold-chip]");
    if (place) place.textContent = chip ? `${Number(chip.dataset.at) + 1} ${title(Number(chip.dataset.at))}` : "";
  }

  /** @param {number | null} n */
  function placeMarker(n) {
    const figure = page.view.figures.spectrum;
    const power = curve(figure, "power");
    const at = n ? power.x.indexOf(n) : -1;
    marker.hidden = at < 0 || !figure;
    if (!n || marker.hidden || !figure) return;
    const places = placesIn(figure, plot);
    marker.style.left = `${places.left(n)}px`;
    marker.style.top = `${places.top(power.y[at])}px`;
    marker.style.setProperty("--drop", `${places.bottom - places.top(power.y[at])}px`);
    marker.setAttribute("aria-valuenow", String(n));
    marker.setAttribute("aria-valuetext", words(n));
  }

  /** @param {number} n shown at once, and kept once it is let go */
  function drag(n) {
    dragged = n;
    show();
  }

  /** @param {number | null} n */
  async function keep(n) {
    dragged = n;
    await page.act({ type: "fold", every: n });
    if (dragged !== n) return; // it has been moved on meanwhile
    dragged = null;
    show();
  }

  region.addEventListener("input", ({ target }) => target === slider() && drag(Number(slider()?.value)));
  region.addEventListener("change", ({ target }) => target === slider() && keep(Number(slider()?.value)));
  page.root.addEventListener("click", (event) => {
    const button = around(event, "[data-fold-at]");
    if (button) keep(Number(button.dataset.foldAt) || null);
  });

  marker.addEventListener("pointerdown", (event) => {
    marker.setPointerCapture(event.pointerId);
    marker.focus();
    event.preventDefault();
  });
  marker.addEventListener("pointermove", ({ clientX, pointerId }) => {
    const figure = page.view.figures.spectrum;
    if (!marker.hasPointerCapture(pointerId) || !figure) return;
    const across = /** @type {HTMLElement} */ (marker.offsetParent).getBoundingClientRect().left;
    const longest = Math.min(LONGEST, Math.max(...curve(figure, "power").x));
    drag(Math.min(bounded(placesIn(figure, plot).x(clientX - across)), longest));
  });
  marker.addEventListener("lostpointercapture", () => dragged && keep(dragged));
  marker.addEventListener("keydown", (event) => {
    const n = fold();
    const step = STEPS.get(event.key);
    if (!n || !step) return;
    event.preventDefault();
    const to = bounded(n + step);
    drag(to);
    keep(to);
  });

  for (const moment of ["m2:shown", "m2:drawn"]) page.root.addEventListener(moment, show);
  new ResizeObserver(show).observe(plot);
  new ResizeObserver(show).observe(region);
  region.addEventListener("pointerover", (event) => {
    const chip = around(event, ".chip");
    if (!chip || !fold()) return;
    name(chip);
    const same = all(region, ".chip").filter((other) => other.dataset.item === chip.dataset.item);
    light(page, same.map((other) => Number(other.dataset.at)));
  });
  region.addEventListener("pointerleave", () => {
    if (!fold()) return;
    name(null);
    light(page, []);
  });
  region.addEventListener("focusin", (event) => name(around(event, ".chip")));
  region.addEventListener("focusout", () => name(null));
  show();
}
