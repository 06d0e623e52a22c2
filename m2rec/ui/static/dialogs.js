// The one dialog: details of a card, repeating an item, pasting a list. Its content comes from the server.
export function startDialogs(page) {
  const { dialog } = page;
  let opener = null;

  async function open(button) {
    const what = button.dataset.dialogOpen;
    const reply = await page.ask("ask", () => ({ session: page.view.session, what, text: button.dataset.itemId ?? "" }));
    if (!reply) return;
    opener = button;
    dialog.innerHTML = reply.html;
    dialog.showModal();
    dialog.querySelector("form select, form textarea")?.focus();
  }

  page.root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dialog-open]");
    if (button) open(button);
    if (event.target.closest("[data-dialog-close]") || event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    page.root.append(page.notice);
    dialog.replaceChildren();
    if (opener?.isConnected) opener.focus();
  });
  dialog.addEventListener("change", async (event) => {
    if (!("file" in event.target.dataset) || !event.target.files.length) return;
    dialog.querySelector("textarea").value = await event.target.files[0].text();
  });
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const data = new FormData(form, event.submitter);
    if (form.dataset.form === "repeat") {
      if (await page.act({ type: "repeat", item_id: data.get("item_id"), every: Number(data.get("every")) })) dialog.close();
    } else if (form.dataset.form === "match") {
      const reply = await page.ask("ask", () => ({ session: page.view.session, what: "match", text: data.get("text") }));
      if (reply) dialog.querySelector("[data-matches]").innerHTML = reply.html;
    } else if (form.dataset.form === "take") {
      const taken = [...form.querySelectorAll("[data-match]")].filter((field) => field.value);
      const item_ids = taken.map((field) => field.value);
      const dates = taken.map((field) => (field.dataset.day === "" ? null : Number(field.dataset.day)));
      const days = dates.some((day) => day !== null) ? dates : [];
      if (await page.act({ type: "replace", item_ids, days, append: Boolean(data.get("append")) })) dialog.close();
    }
  });
}
