// @ts-check
// The page's one entry: brings to life what stands in the document.
import { startAssist } from "./page/assist.js";
import { drawCharts } from "./answer/charts.js";
import { computedShow } from "./days/computed.js";
import { startControls } from "./controls/controls.js";
import { startCopying } from "./controls/copy.js";
import { daysShow } from "./days/days.js";
import { startDialogs } from "./controls/dialogs.js";
import { startFold } from "./history/fold.js";
import { startGate } from "./answer/gate.js";
import { startGuess } from "./lessons/guess.js";
import { startHistory } from "./history/history.js";
import { startLesson } from "./lessons/lesson.js";
import { startOpening } from "./lessons/opening.js";
import { Page } from "./page/page.js";
import { reopen, startMemory } from "./page/memory.js";
import { startPlayer } from "./days/player.js";
import { startRace } from "./sections/race.js";
import { startSearch } from "./controls/search.js";
import { startSections } from "./sections/sections.js";
import { firstView } from "./page/server.js";
import { startTheme } from "./page/theme.js";

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
const openSection = startSections(page);
startCopying(page);
startRace(page);
start();

async function start() {
  const tab = location.hash.slice(1); // of the address that was asked for
  await open(new URLSearchParams(location.search));
  openSection(tab);
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
