// The race in the results: started by a button, drawn as the laps come in through the endpoint /race.
import { downloadFigure, drawFigure } from "./charts.js";

export function startRace(page) {
  let source = null;
  let figure = null;

  async function run(button) {
    button.disabled = true;
    try {
      const address = new URL("gradio_api/call/race", document.baseURI);
      const posted = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"data":[]}' });
      if (!posted.ok) throw new Error(posted.statusText);
      listen(`${address}/${(await posted.json()).event_id}`, button);
    } catch {
      end(button, "The server does not answer; try the race again in a moment.");
    }
  }

  function listen(address, button) {
    source = new EventSource(address);
    source.addEventListener("generating", ({ data }) => show(JSON.parse(data)[0]));
    source.addEventListener("complete", () => end(button));
    source.addEventListener("error", ({ data }) => end(button, (data && JSON.parse(data)?.error) || "The race was cut off: the server does not answer; try it again."));
  }

  function end(button, complaint = "") {
    source?.close();
    source = null;
    button.disabled = false;
    button.querySelector("span").textContent = "Race again";
    if (complaint) page.say(complaint, "error");
  }

  function show(race) {
    const words = page.find("[data-race-laps]");
    if (!words) return; // the results were closed meanwhile
    words.innerHTML = race.html;
    figure = race.figure;
    draw();
  }

  function draw() {
    const plot = page.find("[data-race-plot]");
    if (!plot || !figure) return;
    plot.hidden = false;
    drawFigure(page, plot, figure);
  }

  page.root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-race]");
    if (button) run(button);
    const picture = event.target.closest("[data-race-picture]");
    if (picture) downloadFigure(page, figure, picture.dataset.racePicture);
  });
  page.root.addEventListener("m2:dressed", draw);
}
