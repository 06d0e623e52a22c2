// @ts-check
// What a visitor expects before a lesson shows it: a marker on the empty spectrum, or a sketch of the gate. The server keeps both.
import { all } from "../page/dom.js";
import { overridden, setSlider } from "../answer/gate.js";
import { curve, placesIn, STEPS } from "../answer/plotted.js";
import { EVIDENCE } from "../page/wording.js";

/** @typedef {import("../page/page.js").Page} Page */
/** @typedef {import("../types").BranchName} BranchName */
/** @typedef {import("../types").Shares} Shares */

const STEPS_AND_ENDS = new Map([...STEPS, ["Home", -Infinity], ["End", Infinity]]);

/** @param {Page} page */
export function startGuess(page) {
  startMark(page);
  startSketch(page);
}

/** @param {Page} page */
function startMark(page) {
  const marker = page.find("#m2-guess");
  const area = page.find("[data-guess-area]");
  const plot = page.find("#m2-spectrum-plot");
  /** Where the marker is while it is being dragged. @type {number | null} */
  let dragged = null;

  function show() {
    const figure = page.view.figures.spectrum;
    const { asked } = page.view;
    const put = dragged ?? page.state.lesson_mark;
    area.hidden = !asked;
    marker.hidden = !figure || !(asked || put);
    if (!figure || marker.hidden) return;
    const period = put ?? asked?.[0] ?? 0;
    const places = placesIn(figure, plot);
    const power = curve(figure, "power"); // none while the lesson asks: the marker then stands on the axis
    const at = power.x.indexOf(period);
    const top = at < 0 ? places.bottom : places.top(power.y[at]);
    marker.style.left = `${places.left(period)}px`;
    marker.style.top = `${top}px`;
    marker.style.setProperty("--drop", `${places.bottom - top}px`);
    marker.classList.toggle("unset", put === null);
    marker.setAttribute("aria-valuemin", String(asked?.[0] ?? period));
    marker.setAttribute("aria-valuemax", String(asked?.[1] ?? period));
    marker.setAttribute("aria-valuenow", String(period));
    marker.setAttribute("aria-valuetext", put === null ? "not put yet" : `period ${period}`);
    marker.setAttribute("aria-disabled", String(!asked));
    for (const value of all(page.root, "[data-mark-value]")) value.textContent = String(period);
  }

  /** @param {number} x where the pointer is on the screen → the period there */
  function periodAt(x) {
    const figure = page.view.figures.spectrum;
    const across = /** @type {HTMLElement} */ (marker.offsetParent).getBoundingClientRect().left;
    return figure ? bounded(placesIn(figure, plot).x(x - across)) : 0;
  }

  /** @param {number} period */
  function bounded(period) {
    const [low, high] = page.view.asked ?? [period, period];
    return Math.max(low, Math.min(high, Math.round(period)));
  }

  /** @param {number} period */
  async function put(period) {
    dragged = period;
    show();
    await page.act({ type: "lesson_mark", period });
    if (dragged === period) dragged = null;
    show();
  }

  area.addEventListener("click", ({ clientX }) => {
    put(periodAt(clientX));
    marker.focus();
  });
  marker.addEventListener("pointerdown", (event) => {
    if (!page.view.asked) return;
    marker.setPointerCapture(event.pointerId);
    marker.focus();
    event.preventDefault();
  });
  marker.addEventListener("pointermove", ({ clientX, pointerId }) => {
    if (!marker.hasPointerCapture(pointerId)) return;
    dragged = periodAt(clientX);
    show();
  });
  marker.addEventListener("lostpointercapture", () => dragged !== null && put(dragged));
  marker.addEventListener("keydown", (event) => {
    const step = STEPS_AND_ENDS.get(event.key);
    if (step === undefined || !page.view.asked) return;
    event.preventDefault();
    put(bounded((dragged ?? page.state.lesson_mark ?? page.view.asked[0]) + step));
  });
  for (const moment of ["m2:shown", "m2:drawn"]) page.root.addEventListener(moment, show);
  new ResizeObserver(show).observe(plot);
}

/** @param {Page} page */
function startSketch(page) {
  const region = page.find('[data-region="lesson"]');
  const sliders = () => /** @type {HTMLInputElement[]} */ (all(region, "[data-sketch]"));
  /** What the sliders show, exactly: they themselves hold whole percentages. @type {Shares | null} */
  let drawn = null;

  page.root.addEventListener("m2:shown", () => (drawn = null));
  region.addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || !target.dataset.sketch) return;
    const before = drawn ?? /** @type {Shares} */ (Object.fromEntries(sliders().map((one) => [one.dataset.sketch, Number(one.defaultValue) / 100])));
    drawn = overridden(before, /** @type {BranchName} */ (target.dataset.sketch), Number(target.value) / 100);
    for (const slider of sliders()) setSlider(slider, drawn[/** @type {BranchName} */ (slider.dataset.sketch)]);
  });
  region.addEventListener("change", ({ target }) => {
    if (!drawn || !(target instanceof HTMLInputElement) || !target.dataset.sketch) return;
    page.act({ type: "lesson_sketch", gate: Object.fromEntries(EVIDENCE.map(({ key }) => [key, drawn?.[key] ?? 0])) });
  });
}
