// @ts-check
// Draws the figures with Plotly, always into the same element, so nothing blinks between answers.
import { all } from "../page/dom.js";
import { light } from "../history/history.js";

/** @typedef {import("../page/page.js").Page} Page */
/** @typedef {import("../types").Figure} Figure */
/** @typedef {import("../types").Plot} Plot */

const CONFIG = { displayModeBar: false, responsive: true, displaylogo: false, doubleClick: false, showTips: false };
const FINGER = matchMedia("(pointer: coarse)"); // which scrolls over a chart: bands are muted by a button there
const CLASSROOM = matchMedia("(min-width: 1700px) and (min-height: 900px)"); // as in layout.css
const LARGER = 1.25;
const NARROWEST = 1.03; // a dragged band narrower than this ratio is a click, not a band

/** The chart library, which comes after the first paint; never, where it cannot be loaded. */
const plotly = new Promise((/** @type {(found: import("../types").PlotlyLibrary) => void} */ resolve) => {
  const found = () => window.Plotly && resolve(window.Plotly);
  document.querySelector("script[data-plotly]")?.addEventListener("load", found);
  found();
});

/** Charts that have listeners, and follow their element's size. */
const watched = new WeakSet();
const fit = new ResizeObserver(async (changes) => {
  const { Plots } = await plotly;
  for (const { target } of changes) if (target.checkVisibility()) Plots.resize(/** @type {HTMLElement} */ (target));
});

/** What each chart does when it is pointed at, by its name. */
const LISTENERS = { spectrum: listenToSpectrum, gate: listenToGate };

/**
 * Draws every figure of the view.
 * @param {Page} page
 */
export async function drawCharts(page) {
  await plotly;
  const plots = all(page.root, "[data-plot]");
  const figures = plots.map((plot) => page.view.figures[plot.dataset.plot ?? ""]);
  plots.forEach((plot, at) => (plot.hidden = !figures[at])); // first, so that each finds its width
  for (const [at, plot] of plots.entries()) {
    const figure = figures[at];
    if (!figure) continue;
    plot.classList.toggle("bare", figure.data.length === 0);
    const drawn = await drawFigure(page, plot, figure);
    if (watched.has(plot)) continue;
    watched.add(plot);
    fit.observe(plot);
    if (plot.dataset.plot === "spectrum" || plot.dataset.plot === "gate") LISTENERS[plot.dataset.plot](page, drawn);
  }
  page.root.dispatchEvent(new CustomEvent("m2:drawn"));
}

/**
 * Draws one figure, of the view or not.
 * @param {Page} page
 * @param {HTMLElement} plot
 * @param {Figure} figure
 */
export async function drawFigure(page, plot, figure) {
  const drawn = resolved(figure, getComputedStyle(page.root));
  const { data, layout } = CLASSROOM.matches ? enlarged(drawn) : drawn;
  return (await plotly).react(plot, data, FINGER.matches ? { ...layout, dragmode: false } : layout, CONFIG);
}

/**
 * Hovering a period lights up the chips that repeat at it, a click rings them, dragging mutes a band.
 * @param {Page} page
 * @param {Plot} plot
 */
function listenToSpectrum(page, plot) {
  plot.on("plotly_hover", ({ points }) => {
    const repeats = points.map((/** @type {any} */ point) => point.customdata).find(Array.isArray);
    const positions = repeats?.map((/** @type {number} */ position) => position + page.view.unread);
    if (positions) light(page, positions, true);
  });
  plot.on("plotly_unhover", () => light(page, []));
  plot.on("plotly_click", ({ points }) => page.act({ type: "look", period: page.state.period === points[0].x ? null : points[0].x }));
  plot.on("plotly_selected", (selection) => {
    const range = selection?.range?.x;
    if (!range) return;
    const [low, high] = [Math.min(...range), Math.max(...range)];
    if (high / low > NARROWEST) page.act({ type: "mute", low, high });
  });
}

/**
 * Hovering a column of the gate lights up its chip.
 * @param {Page} page
 * @param {Plot} plot
 */
function listenToGate(page, plot) {
  plot.on("plotly_hover", ({ points }) => light(page, [points[0].x - 1 + page.view.unread]));
  plot.on("plotly_unhover", () => light(page, []));
}

/**
 * Figures name their theme's colours as CSS variables; Plotly wants the colours themselves.
 * @template T
 * @param {T} value
 * @param {CSSStyleDeclaration} styles
 * @returns {T}
 */
function resolved(value, styles) {
  /** @type {(part: any) => any} */
  const walk = (part) => {
    if (typeof part === "string") return part.startsWith("var(--") ? styles.getPropertyValue(part.slice(4, -1)).trim() : part;
    if (Array.isArray(part)) return part.map(walk);
    if (part && typeof part === "object") return Object.fromEntries(Object.entries(part).map(([key, one]) => [key, walk(one)]));
    return part;
  };
  return walk(value);
}

/**
 * The figure with larger letters, for a screen that is looked at from afar.
 * @param {Figure} figure
 * @returns {Figure}
 */
function enlarged(figure) {
  /** @type {(part: any, key: string) => any} */
  const walk = (part, key) => {
    if (Array.isArray(part)) return part.map((one) => walk(one, ""));
    if (!part || typeof part !== "object") return part;
    const own = Object.fromEntries(Object.entries(part).map(([name, one]) => [name, walk(one, name)]));
    return key === "font" && own.size ? { ...own, size: own.size * LARGER } : own;
  };
  return { data: figure.data, layout: walk(figure.layout, "") };
}

const TITLES = new Map([
  ["spectrum", "Rhythm in the history: power against period"],
  ["calendar", "Rhythm by the calendar: power against period in days"],
  ["gate", "The gate after each interaction"],
  ["race", "Time of one answer against the length of the history"],
]);

/**
 * Saves a figure as a picture, in the theme's colours, with a title and a legend of its own.
 * @param {Page} page
 * @param {Figure} figure
 * @param {string} name spectrum.png and the like
 */
export async function downloadFigure(page, figure, name) {
  const [which, format] = name.split(".");
  const Plotly = await plotly;
  const styles = getComputedStyle(page.root);
  const ink = styles.getPropertyValue("--m2-ink").trim();
  const { data, layout } = resolved(figure, styles);
  const paper = {
    paper_bgcolor: styles.getPropertyValue("--m2-card").trim(),
    width: 900,
    height: 420,
    title: { text: `M2Rec · ${TITLES.get(which)}`, font: { size: 16, color: ink }, x: 0.02, xanchor: "left" },
    showlegend: true,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 12, color: ink } },
    margin: { ...layout.margin, t: 84 },
  };
  await Plotly.downloadImage({ data, layout: { ...layout, ...paper } }, { format, width: 900, height: 420, scale: 2, filename: `m2rec-${which}` });
}
