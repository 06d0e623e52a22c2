// @ts-check
// Days, guesses and true causes: the whole series has come with the dialog, and is shown a day at a time.
import { all, around } from "../page/dom.js";

/** @typedef {import("../types").PlayedDay} PlayedDay */
/** @typedef {import("../types").Because} Because */

const SUSPENSE = 450; // ms between a guess and what came, while it plays
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @param {import("../page/page.js").Page} page
 * @returns {import("./player.js").Show}
 */
export function daysShow(page) {
  const { dialog } = page;
  /** @type {PlayedDay[]} */
  let series = [];

  dialog.addEventListener("m2:opened", (event) => {
    if (dialog.dataset.shows !== "days") return;
    series = /** @type {CustomEvent} */ (event).detail.series ?? [];
    draw(dialog, series, 0, true);
  });
  dialog.addEventListener("click", async (event) => {
    const preset = around(event, "[data-days-preset]")?.dataset.daysPreset;
    if (preset && (await page.act({ type: "preset", value: preset }))) all(page.root, "[data-dialog-open='days']")[0]?.click();
  });

  return async (day, drawn) => {
    const at = day - (series[0]?.read ?? 0);
    if (!series[at]) return false;
    if (all(dialog, "[data-play].on").length && !CALM.matches) {
      draw(dialog, series, at, false);
      drawn();
      await new Promise((done) => setTimeout(done, SUSPENSE));
      if (!dialog.open) return false;
    }
    draw(dialog, series, at, true);
    drawn();
    return true;
  };
}

/** A number and its sign stay on one line. @param {string} text */
const unbroken = (text) => text.replaceAll(" %", "\u00a0%");

/**
 * @param {HTMLElement} dialog
 * @param {PlayedDay[]} series
 * @param {number} at
 * @param {boolean} shown whether what came is shown
 */
function draw(dialog, series, at, shown) {
  const day = series[at];
  const place = (/** @type {string} */ name) => all(dialog, `[data-days="${name}"]`)[0];
  place("words").textContent = unbroken(day.words);
  const came = place("came");
  const verdict = unbroken(`Then came ${day.came}: ${day.verdict}.`);
  came.textContent = !day.came ? "The next is not known yet." : shown ? verdict : "Then came …";
  came.dataset.outcome = shown ? day.outcome : "";
  all(place("guesses"), "li").forEach((row, rank) => {
    const guess = day.guesses[rank];
    row.hidden = !guess;
    if (!guess) return;
    row.classList.toggle("own", shown && guess.came);
    all(row, "bdi")[0].textContent = (shown && guess.came ? "✓ " : "") + guess.title;
    all(row, "b")[0].textContent = guess.share;
    all(row, ".bar .fill").forEach((bar, part) => (bar.style.width = `${guess.parts[part]}%`));
  });
  because(place("gate"), day.gate, shown);
  if (place("cause")) {
    because(place("cause"), shown ? day.cause : null, shown);
    because(place("oracle"), day.oracle, shown);
  }
  const scores = shown ? day.scores : series[Math.max(at - 1, 0)].scores;
  all(place("scores"), "li").forEach((row, which) => {
    all(row, "b")[0].textContent = scores[which].text;
    all(row, ".track > i")[0].style.width = `${scores[which].width}%`;
  });
  for (const row of all(dialog, "[data-days-row]")) {
    [...row.children].forEach((cell, column) => {
      cell.classList.toggle("later", column > at || (column === at && !shown));
      cell.classList.toggle("now", column === at);
    });
  }
}

/**
 * @param {HTMLElement} row
 * @param {Because | null} why
 * @param {boolean} shown
 */
function because(row, why, shown) {
  const text = all(row, "dd")[0];
  const verdict = !why || why.right === null || !shown ? "" : why.right ? " ✓" : " ✗";
  text.textContent = why ? unbroken(`${why.mark} ${why.text}${verdict}`) : "…";
  text.className = why ? `because ${why.look}` : "because";
}
