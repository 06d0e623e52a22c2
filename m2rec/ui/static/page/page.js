// @ts-check
// The page itself: holds the session, sends actions one after the other, and patches what came back into place.
import { Idiomorph } from "../vendor/idiomorph.esm.js";
import { drawCharts } from "../answer/charts.js";
import { all } from "./dom.js";
import { call } from "./server.js";

/** @typedef {import("../types").View} View */
/** @typedef {import("../types").Reply} Reply */

const SLOW = 400; // ms before the bar says that something is being computed
const READABLE = { info: 6000, error: 12000 }; // ms that a message stays
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

export class Page {
  /**
   * @param {HTMLElement} root
   * @param {View} view
   */
  constructor(root, view) {
    this.root = root;
    this.view = view;
    /** @type {Promise<unknown>} */
    this.waiting = Promise.resolve();
    /** @type {HTMLElement} */
    this.notice = this.find("[data-notice]");
    /** @type {HTMLDialogElement} */
    this.dialog = this.find("[data-dialog]");
    /** @type {number | undefined} */
    this.silence = undefined;
  }

  /**
   * The one element that matches.
   * @template {HTMLElement} T
   * @param {string} selector
   * @returns {T}
   */
  find(selector) {
    const found = this.seek(selector);
    if (!found) throw new Error(`the page has no ${selector}`);
    return /** @type {T} */ (found);
  }

  /**
   * The one element that matches, or null.
   * @param {string} selector
   * @returns {HTMLElement | null}
   */
  seek(selector) {
    return this.root.querySelector(selector);
  }

  get state() {
    return this.view.session.state;
  }

  /**
   * Sends one action; actions wait for each other, so that each starts from what the last one left.
   * @param {Record<string, unknown>} action
   * @returns {Promise<boolean>} whether it was done
   */
  act(action) {
    const done = this.waiting.then(async () => {
      const reply = await this.ask("act", () => ({ session: this.view.session, action, before: this.view.ranking }));
      if (reply) this.show(reply);
      return Boolean(reply);
    });
    this.waiting = done.catch(() => {});
    return done;
  }

  /** @param {string} link */
  async open(link) {
    const reply = await this.ask("open", () => link);
    if (reply) this.show(reply);
    else drawCharts(this);
  }

  /**
   * Calls Python; a refusal or a lost server is said in words and gives null, the page stays as it is.
   * @param {string} name
   * @param {() => unknown} payload
   * @returns {Promise<Reply | null>}
   */
  async ask(name, payload) {
    const bar = this.find(".busy");
    const slow = setTimeout(() => (bar.hidden = false), SLOW);
    try {
      const reply = await call(name, payload());
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

  /** @param {Partial<View>} view */
  show(view) {
    const places = this.places();
    this.view = { ...this.view, ...view };
    for (const [name, html] of Object.entries(view.html ?? {})) {
      const region = this.find(`[data-region="${name}"]`);
      Idiomorph.morph(region, html, { morphStyle: "innerHTML", callbacks: { beforeAttributeUpdated: keepOpen } });
    }
    this.glide(places);
    drawCharts(this);
    this.say(view.notice ?? "");
    this.root.dispatchEvent(new CustomEvent("m2:shown"));
  }

  /** @returns {Map<string, number>} how far down its list each card is, by its id */
  places() {
    return new Map(all(this.root, ".cards > .card[id]").map((card) => [card.id, height(card)]));
  }

  /**
   * Cards slide from their old rank to their new one.
   * @param {Map<string, number>} places
   */
  glide(places) {
    if (CALM.matches) return;
    for (const card of all(this.root, ".cards > .card[id]")) {
      const before = places.get(card.id);
      if (before === undefined) card.animate([{ opacity: 0 }, { opacity: 1 }], 250);
      else if (before !== height(card)) {
        card.animate([{ transform: `translateY(${before - height(card)}px)` }, { transform: "none" }], { duration: 320, easing: "ease-out" });
      }
    }
  }

  /**
   * Says something to everybody, whoever listens included; nothing takes the last message away.
   * @param {string} text
   * @param {"info" | "error"} kind
   */
  say(text, kind = "info") {
    (this.dialog.open ? this.dialog : this.root).append(this.notice); // outside an open dialog nothing is heard
    this.notice.textContent = text;
    this.notice.dataset.kind = kind;
    clearTimeout(this.silence);
    if (text) this.silence = setTimeout(() => (this.notice.textContent = ""), READABLE[kind]);
  }
}

/**
 * How far down its list a card is: the list itself may have moved.
 * @param {HTMLElement} card
 */
function height(card) {
  return card.offsetTop - (card.parentElement?.offsetTop ?? 0);
}

/**
 * What the visitor has opened stays open: the server knows nothing of it.
 * @param {string} name
 * @param {Element} element
 */
function keepOpen(name, element) {
  return !(name === "open" && element.tagName === "DETAILS");
}
