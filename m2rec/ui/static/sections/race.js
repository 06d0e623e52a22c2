// @ts-check
// The race in the results: started by a button, drawn as the laps come in through the endpoint /race.
import { downloadFigure, drawFigure } from "../answer/charts.js";
import { around } from "../page/dom.js";

/** @param {import("../page/page.js").Page} page */
export function startRace(page) {
  /** @type {EventSource | null} */
  let source = null;
  /** @type {import("../types").Figure | null} */
  let figure = null;

  /** @param {HTMLButtonElement} button */
  async function run(button) {
    button.disabled = true;
    try {
      const address = new URL("gradio_api/call/race", document.baseURI);
      const body = JSON.stringify({ data: [page.state.world] });
      const posted = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      if (!posted.ok) throw new Error(posted.statusText);
      listen(`${address}/${(await posted.json()).event_id}`, button);
    } catch {
      end(button, "The server does not answer; try the race again in a moment.");
    }
  }

  /**
   * @param {string} address
   * @param {HTMLButtonElement} button
   */
  function listen(address, button) {
    source = new EventSource(address);
    source.addEventListener("generating", ({ data }) => show(JSON.parse(data)[0]));
    source.addEventListener("complete", () => end(button));
    source.addEventListener("error", (event) => {
      const sentence = event instanceof MessageEvent && event.data && JSON.parse(event.data)?.error;
      end(button, sentence || "The race was cut off: the server does not answer; try it again.");
    });
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {string} complaint
   */
  function end(button, complaint = "") {
    source?.close();
    source = null;
    button.disabled = false;
    const words = button.querySelector("span");
    if (words) words.textContent = "Race again";
    if (complaint) page.say(complaint, "error");
  }

  /** @param {{ html: string, figure: import("../types").Figure }} race */
  function show(race) {
    const words = page.seek("[data-race-laps]");
    if (!words) return; // the results were closed meanwhile
    words.innerHTML = race.html;
    figure = race.figure;
    draw();
  }

  function draw() {
    const plot = page.seek("[data-race-plot]");
    if (!plot || !figure) return;
    plot.hidden = false;
    drawFigure(page, plot, figure);
  }

  page.root.addEventListener("click", (event) => {
    /** @type {HTMLButtonElement | null} */
    const button = around(event, "[data-race]");
    if (button) run(button);
    const picture = around(event, "[data-race-picture]");
    if (picture?.dataset.racePicture && figure) downloadFigure(page, figure, picture.dataset.racePicture);
  });
  page.root.addEventListener("m2:dressed", draw);
}
