// @ts-check
// The page's one entry: brings to life what stands in the document.
import { drawCharts } from "./charts.js";
import { startControls } from "./controls.js";
import { startDialogs } from "./dialogs.js";
import { startFold } from "./fold.js";
import { startHistory } from "./history.js";
import { Page } from "./page.js";
import { startRace } from "./race.js";
import { startSearch } from "./search.js";
import { startSections } from "./sections.js";
import { firstView, ready } from "./server.js";
import { startTheme } from "./theme.js";

export { connect } from "./server.js";

const page = new Page(/** @type {HTMLElement} */ (document.querySelector(".m2")), firstView());
startTheme(page);
startSearch(page);
startHistory(page);
startFold(page);
startControls(page);
startDialogs(page);
startSections(page);
startRace(page);
start();

/** Not awaited at the top level: Gradio waits for this module before it connects the page. */
async function start() {
  await open(new URLSearchParams(location.search));
  page.root.removeAttribute("data-waiting");
  await ready();
  page.root.dataset.ready = "true";
}

/**
 * What the address asks for, or the view that is there.
 * @param {URLSearchParams} asked
 */
async function open(asked) {
  const link = asked.get("s");
  const lesson = asked.get("lesson");
  if (link !== null) await page.open(link);
  else if (lesson === null) drawCharts(page);
  if (lesson !== null && !(await page.act({ type: "lesson", lesson }))) drawCharts(page);
}
