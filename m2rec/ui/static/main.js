// @ts-check
// The page's one entry: brings to life what stands in the document.
import { startAssist } from "./assist.js";
import { drawCharts } from "./charts.js";
import { computedShow } from "./computed.js";
import { startControls } from "./controls.js";
import { startCopying } from "./copy.js";
import { daysShow } from "./days.js";
import { startDialogs } from "./dialogs.js";
import { startFold } from "./fold.js";
import { startGate } from "./gate.js";
import { startGuess } from "./guess.js";
import { startHistory } from "./history.js";
import { startLesson } from "./lesson.js";
import { startOpening } from "./opening.js";
import { Page } from "./page.js";
import { reopen, startMemory } from "./memory.js";
import { startPlayer } from "./player.js";
import { startRace } from "./race.js";
import { startSearch } from "./search.js";
import { startSections } from "./sections.js";
import { firstView } from "./server.js";
import { startTheme } from "./theme.js";

const page = new Page(/** @type {HTMLElement} */ (document.querySelector(".m2")), firstView());
startMemory(page);
startTheme(page);
startAssist(page);
startSearch(page);
startHistory(page);
startFold(page);
startGate(page);
startLesson(page);
startGuess(page);
startOpening(page);
startControls(page);
startDialogs(page);
startPlayer(page, { computed: computedShow(page), days: daysShow(page) });
startSections(page);
startCopying(page);
startRace(page);
start();

async function start() {
  await open(new URLSearchParams(location.search));
  page.root.removeAttribute("data-waiting");
  page.root.dataset.ready = "true";
}

/**
 * What the visitor had here before a reload, what the address asks for, or the view that is there.
 * @param {URLSearchParams} asked
 */
async function open(asked) {
  if (await reopen(page)) return;
  const link = asked.get("s");
  const lesson = asked.get("lesson");
  if (link !== null) return page.open(link);
  const shown = lesson !== null && (await page.act({ type: "lesson", lesson }));
  if (!shown) drawCharts(page);
  if (page.view.notice) page.say(page.view.notice);
}
