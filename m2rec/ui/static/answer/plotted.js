// @ts-check
// Where a value lies in a chart, in pixels, from the figure's own ranges and margins.

/** @typedef {import("../types").Figure} Figure */

/** How far each key moves a marker along a chart. */
export const STEPS = new Map([
  ["ArrowLeft", -1],
  ["ArrowDown", -1],
  ["ArrowRight", 1],
  ["ArrowUp", 1],
  ["PageDown", -7],
  ["PageUp", 7],
]);

/**
 * @param {Figure} figure
 * @param {HTMLElement} plot
 * @returns {{ left: (x: number) => number, top: (y: number) => number, x: (left: number) => number, bottom: number }}
 */
export function placesIn(figure, plot) {
  const { margin, xaxis, yaxis } = figure.layout;
  const width = plot.clientWidth - margin.l - margin.r;
  const height = plot.clientHeight - margin.t - margin.b;
  const [first, last] = xaxis.range;
  const [low, high] = yaxis.range;
  const onAxis = (/** @type {number} */ x) => (xaxis.type === "log" ? Math.log10(x) : x);
  return {
    left: (x) => plot.offsetLeft + margin.l + (width * (onAxis(x) - first)) / (last - first),
    top: (y) => plot.offsetTop + margin.t + height * (1 - (y - low) / (high - low)),
    x: (left) => {
      const value = first + ((left - plot.offsetLeft - margin.l) / width) * (last - first);
      return xaxis.type === "log" ? 10 ** value : value;
    },
    bottom: plot.offsetTop + margin.t + height,
  };
}

/**
 * A curve of a figure, by its name.
 * @param {Figure | null | undefined} figure
 * @param {string} name
 * @returns {{ x: number[], y: number[] }}
 */
export function curve(figure, name) {
  const found = figure?.data.find((trace) => trace.name === name);
  return { x: found?.x ?? [], y: found?.y ?? [] };
}
