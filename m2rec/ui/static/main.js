// @ts-check
// The page's one entry: brings to life what stands in the document.
import { startAssist } from "./assist.js";
import { drawCharts } from "./charts.js";
import { startControls } from "./controls.js";
import { startDialogs } from "./dialogs.js";
import { startFold } from "./fold.js";
import { startGate } from "./gate.js";
import { startHistory } from "./history.js";
import { startLesson } from "./lesson.js";
import { startOpening } from "./opening.js";
import { Page } from "./page.js";
import { reopen, startMemory } from "./memory.js";
import { startRace } from "./race.js";
import { startSearch } from "./search.js";
import { startSections } from "./sections.js";
import { firstView, ready } from "./server.js";
import { startTheme } from "./theme.js";

export { connect } from "./server.js";

const page = new Page(/** @type {HTMLElement} */ (document.querySelector(".m2")), firstView());
startMemory(page);
startTheme(page);
startAssist(page);
startSearch(page);
startHistory(page);
startFold(page);
startGate(page);
startLesson(page);
startOpening(page);
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
 * What the visitor had here before a reload, what the address asks for, or the view that is there.
 * @param {URLSearchParams} asked
 */
async function open(asked) {
  if (await reopen(page)) return;
  const link = asked.get("s");
  const world = asked.get("world");
  const lesson = asked.get("lesson");
  let shown = false;
  if (link !== null) return page.open(link);
  if (world !== null) shown = await page.act({ type: "world", value: world });
  if (lesson !== null) shown = (await page.act({ type: "lesson", lesson })) || shown;
  if (!shown) drawCharts(page);
}
