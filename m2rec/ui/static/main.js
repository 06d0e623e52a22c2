// The page's one entry: holds the session, sends actions one after the other, and patches what came back into place.
import { Idiomorph } from "./vendor/idiomorph.esm.js";
import { downloadFigure, drawCharts, watchCharts } from "./charts.js";
import { startDialogs } from "./dialogs.js";
import { startHistory } from "./history.js";
import { startRace } from "./race.js";
import { startSearch } from "./search.js";
import { startSections } from "./sections.js";
import { startTheme } from "./theme.js";

const SLOW = 400; // ms before the bar says that something is being computed
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** Gives the page its way to Python; Gradio calls this once it stands, and again should it ever start anew. */
export function connect(server) {
  page.connect(server);
}

/** Brings to life the page that stands in the document, with the view that it was rendered with. */
async function start() {
  startTheme(page);
  startSearch(page);
  startHistory(page);
  startButtons(page);
  startDialogs(page);
  startSections(page);
  startRace(page);
  watchCharts(page);
  const asked = new URLSearchParams(location.search);
  if (asked.has("s")) await page.open(asked.get("s"));
  else if (!asked.has("lesson")) drawCharts(page);
  if (asked.has("lesson") && !(await page.act({ type: "lesson", lesson: asked.get("lesson") }))) drawCharts(page);
  page.root.removeAttribute("data-waiting");
  await page.server;
  page.root.dataset.ready = "true";
}

/** What the visitor has opened stays open: the server knows nothing of it. */
const keepOpen = (name, element) => !(name === "open" && element.tagName === "DETAILS");

class Page {
  constructor(root, view) {
    Object.assign(this, { root, view });
    this.server = new Promise((resolve) => (this.connect = (server) => resolve((this.server = server))));
    this.waiting = Promise.resolve();
    this.notice = root.querySelector("[data-notice]");
    this.dialog = root.querySelector("[data-dialog]");
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  get state() {
    return this.view.session.state;
  }

  /** Sends one action; actions wait for each other, so that each starts from what the last one left. */
  act(action) {
    const done = this.waiting.then(async () => {
      const reply = await this.ask("act", () => ({ session: this.view.session, action, before: this.view.ranking }));
      if (reply) this.show(reply);
      return Boolean(reply);
    });
    this.waiting = done.catch(() => {});
    return done;
  }

  async open(link) {
    const reply = await this.ask("open", () => link);
    if (reply) this.show(reply);
    else drawCharts(this);
  }

  /** Calls Python; a refusal or a lost server is said in words and gives null, the page stays as it is. */
  async ask(name, payload) {
    const bar = this.find(".busy");
    const slow = setTimeout(() => (bar.hidden = false), SLOW);
    try {
      const reply = await (await this.server)[name](payload());
      if (!reply.error) return reply;
      this.say(reply.error, "error");
    } catch {
      this.say("The server does not answer; nothing is lost, try again in a moment.", "error");
    } finally {
      clearTimeout(slow);
      bar.hidden = true;
    }
    return null;
  }

  show(view) {
    const places = this.places();
    this.view = { ...this.view, ...view };
    for (const [name, html] of Object.entries(view.html)) {
      const region = this.find(`[data-region="${name}"]`);
      Idiomorph.morph(region, html, { morphStyle: "innerHTML", callbacks: { beforeAttributeUpdated: keepOpen } });
    }
    this.glide(places);
    drawCharts(this);
    this.say(view.notice ?? "", "info");
    this.root.dispatchEvent(new CustomEvent("m2:shown"));
  }

  places() {
    return new Map([...this.root.querySelectorAll(".cards > .card[id]")].map((card) => [card.id, card.offsetTop]));
  }

  /** Cards slide from their old rank to their new one. */
  glide(places) {
    if (CALM.matches) return;
    for (const card of this.root.querySelectorAll(".cards > .card[id]")) {
      const before = places.get(card.id);
      if (before === undefined) card.animate([{ opacity: 0 }, { opacity: 1 }], 250);
      else if (before !== card.offsetTop) {
        card.animate([{ transform: `translateY(${before - card.offsetTop}px)` }, { transform: "none" }], { duration: 320, easing: "ease-out" });
      }
    }
  }

  say(text, kind = "info") {
    (this.dialog.open ? this.dialog : this.root).append(this.notice); // outside an open dialog nothing is heard
    this.notice.textContent = text;
    this.notice.dataset.kind = kind;
    clearTimeout(this.silence);
    if (text) this.silence = setTimeout(() => (this.notice.textContent = ""), kind === "error" ? 12000 : 6000);
  }
}

function startButtons(page) {
  page.root.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.act) page.act(JSON.parse(button.dataset.act));
    if ("copyLink" in button.dataset) copyLink(page);
    if (button.dataset.export) {
      button.closest("details").open = false;
      save(page, button.dataset.export);
    }
  });
  page.root.addEventListener("change", (event) => {
    const { choose, set, weight } = event.target.dataset;
    const value = event.target.type === "checkbox" ? event.target.checked : event.target.value;
    if (choose && value) page.act({ type: choose, value });
    if (set) page.act({ type: "set", [set]: set === "k" ? Number(value) : value });
    if (weight) page.act({ type: "override", modality: weight, weight: Number(value) / 100, current: page.view.gates });
  });
  page.root.addEventListener("input", (event) => {
    if (!event.target.dataset.weight) return;
    event.target.style.setProperty("--at", `${event.target.value}%`);
    event.target.parentElement.querySelector(".value").textContent = `${event.target.value} %`;
  });
  document.addEventListener("click", (event) => {
    for (const menu of page.root.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
}

async function save(page, what) {
  await page.waiting;
  if (what.includes(".")) return downloadFigure(page, page.view.figures[what.split(".")[0]], what);
  const reply = await page.ask("ask", () => ({ session: page.view.session, what }));
  if (!reply) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([reply.file.text], { type: reply.file.media_type }));
  link.download = reply.file.name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function copyLink(page) {
  await page.waiting; // the link is of what the last click led to
  const link = new URL(location.href);
  link.search = "";
  link.hash = "";
  link.searchParams.set("s", page.view.link);
  history.replaceState(null, "", link);
  try {
    await navigator.clipboard.writeText(link.href);
    page.say("Link copied: it opens exactly what you see.");
  } catch {
    page.say("The link is now in the address bar: copy it from there.");
  }
}

const given = window.gradio_config.components.find(({ props }) => props.elem_id === "m2rec");
const page = new Page(document.querySelector(".m2"), given.props.value);
start();
