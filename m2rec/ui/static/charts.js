// Draws the two figures with Plotly, always into the same element, so nothing blinks between answers.
import { light } from "./history.js";

const CONFIG = { displayModeBar: false, responsive: true, displaylogo: false, doubleClick: false, showTips: false };
const NARROWEST = 1.03; // a dragged band narrower than this ratio is a click, not a band

/** The library is loaded after the first paint; resolves once it is there. */
const plotly = new Promise((resolve) => {
  const look = () => (window.Plotly ? resolve(window.Plotly) : setTimeout(look, 20));
  look();
});

/** Figures name their theme's colours as CSS variables; Plotly wants the colours themselves. */
function resolved(value, styles) {
  if (typeof value === "string") return value.startsWith("var(--") ? styles.getPropertyValue(value.slice(4, -1)).trim() : value;
  if (Array.isArray(value)) return value.map((part) => resolved(part, styles));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolved(part, styles)]));
  return value;
}

export async function drawCharts(page) {
  const Plotly = await plotly;
  const styles = getComputedStyle(page.root);
  const plots = [...page.root.querySelectorAll("[data-plot]")];
  for (const plot of plots) plot.hidden = !page.view.figures[plot.dataset.plot]; // first, so that each finds its width
  for (const plot of plots.filter((one) => !one.hidden)) {
    const figure = resolved(page.view.figures[plot.dataset.plot], styles);
    plot.classList.toggle("bare", figure.data.length === 0);
    await Plotly.react(plot, figure.data, figure.layout, CONFIG);
  }
  page.root.dispatchEvent(new CustomEvent("m2:drawn"));
}

/** Draws a figure that is not part of the view. */
export async function drawFigure(page, plot, figure) {
  const { data, layout } = resolved(figure, getComputedStyle(page.root));
  await (await plotly).react(plot, data, layout, CONFIG);
}

/** Links the charts with the history: hovering lights chips up, dragging over the spectrum mutes a band. */
export async function watchCharts(page) {
  const Plotly = await plotly;
  const spectrum = page.find("#m2-spectrum-plot");
  const gate = page.find("#m2-gate-plot");
  const until = (plot) => new Promise((resolve) => {
    const look = () => (plot.on ? resolve() : setTimeout(look, 20));
    look();
  });
  await Promise.all([until(spectrum), until(gate)]);
  const fit = new ResizeObserver((changes) => changes.forEach(({ target }) => target.on && !target.hidden && Plotly.Plots.resize(target)));
  for (const plot of [spectrum, gate, page.find("#m2-calendar-plot")]) fit.observe(plot);
  spectrum.on("plotly_hover", ({ points }) => {
    const repeats = points.map((point) => point.customdata).find(Array.isArray);
    if (repeats) light(page, repeats.map((position) => position + page.view.unread), true);
  });
  gate.on("plotly_hover", ({ points }) => light(page, [points[0].x - 1 + page.view.unread]));
  for (const plot of [spectrum, gate]) plot.on("plotly_unhover", () => light(page, []));
  spectrum.on("plotly_click", ({ points }) => page.act({ type: "look", period: page.state.period === points[0].x ? null : points[0].x }));
  spectrum.on("plotly_selected", (selection) => {
    const range = selection?.range?.x;
    if (!range) return;
    const [low, high] = [Math.min(...range), Math.max(...range)];
    if (high / low > NARROWEST) page.act({ type: "mute", low, high });
  });
}

/** Saves a figure as a picture, in the theme's colours; `name` is "spectrum.png" and the like. */
export async function downloadFigure(page, figure, name) {
  const [which, format] = name.split(".");
  const Plotly = await plotly;
  const styles = getComputedStyle(page.root);
  const { data, layout } = resolved(figure, styles);
  const paper = { paper_bgcolor: styles.getPropertyValue("--m2-card").trim(), width: 900, height: 420 };
  await Plotly.downloadImage({ data, layout: { ...layout, ...paper } }, { format, width: 900, height: 420, scale: 2, filename: `m2rec-${which}` });
}
