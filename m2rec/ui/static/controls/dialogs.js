// @ts-check
// The one dialog: details of a card, repeating an item, pasting a list. Its content comes from the server.
import { all, around } from "../page/dom.js";
import { decoded } from "./decoded.js";

/** @param {import("../page/page.js").Page} page */
export function startDialogs(page) {
  const { dialog } = page;
  /** @type {HTMLElement | null} */
  let opener = null;

  /** @param {HTMLElement} button */
  async function open(button) {
    const what = button.dataset.dialogOpen;
    const reply = await page.ask("ask", () => ({ session: page.view.session, what, text: button.dataset.itemId ?? "" }));
    if (!reply) return;
    if (!dialog.open) opener = button;
    dialog.innerHTML = String(reply.html);
    dialog.dataset.shows = what;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    dialog.dispatchEvent(new CustomEvent("m2:opened", { detail: reply }));
    all(dialog, "form select, form textarea")[0]?.focus();
  }

  page.root.addEventListener("click", (event) => {
    const button = around(event, "[data-dialog-open]");
    if (button) open(button);
    if (around(event, "[data-dialog-close]") || event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    page.root.append(page.notice);
    dialog.replaceChildren();
    if (opener?.isConnected) opener.focus();
  });
  dialog.addEventListener("change", async ({ target }) => {
    if (!(target instanceof HTMLInputElement) || !("file" in target.dataset) || !target.files?.length) return;
    const text = decoded(await target.files[0].arrayBuffer());
    const field = dialog.querySelector("textarea");
    if (field) field.value = text;
  });
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const data = new FormData(form, event.submitter);
    if (form.dataset.form === "repeat") {
      if (await page.act({ type: "repeat", item_id: data.get("item_id"), every: Number(data.get("every")) })) dialog.close();
    } else if (form.dataset.form === "match") {
      const text = String(data.get("text"));
      if (text.length > Number(form.dataset.longest)) return page.say(form.dataset.tooLong ?? "", "error"); // a much longer one is not even sent
      const reply = await page.ask("ask", () => ({ session: page.view.session, what: "match", text }));
      if (reply) all(dialog, "[data-matches]")[0].innerHTML = String(reply.html);
    } else if (form.dataset.form === "take") {
      /** @type {(HTMLInputElement | HTMLSelectElement)[]} */
      const fields = all(form, "[data-match]");
      const taken = fields.filter((field) => field.value);
      const item_ids = taken.map((field) => field.value);
      const dates = taken.map((field) => (field.dataset.day ? Number(field.dataset.day) : null));
      const days = dates.some((day) => day !== null) ? dates : [];
      if (await page.act({ type: "replace", item_ids, days, append: Boolean(data.get("append")) })) dialog.close();
    }
  });
}
