// The search box: a combobox whose hits come from the server while one types, by keyboard alone if one likes.
const PAUSE = 90; // ms of quiet before a search is sent

export function startSearch(page) {
  const input = page.find("#m2-search");
  const list = page.find("#m2-hits");
  let timer = 0;
  let turn = 0;
  let active = -1;

  const options = () => [...list.querySelectorAll("[role=option]")];

  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function point(index) {
    const all = options();
    if (!all.length) return;
    active = (index + all.length) % all.length;
    all.forEach((option, place) => option.setAttribute("aria-selected", String(place === active)));
    input.setAttribute("aria-activedescendant", all[active].id);
    all[active].scrollIntoView({ block: "nearest" });
  }

  function fill(hits) {
    list.replaceChildren(
      ...hits.map((hit, place) => {
        const option = document.createElement("li");
        Object.assign(option, { id: `m2-hit-${place}`, textContent: hit.title });
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.item = hit.item_id;
        const group = document.createElement("span");
        group.className = "group";
        group.textContent = hit.group;
        option.append(group);
        return option;
      }),
    );
    const words = input.value.trim();
    if (words) list.append(invention(words, hits.length));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    if (words) point(0);
  }

  /** The last hit: whatever was typed, as an item that the world does not have. */
  function invention(words, place) {
    const option = document.createElement("li");
    option.id = `m2-hit-${place}`;
    option.className = "invent";
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.item = `~${words}`;
    option.textContent = `Invent “${words}” as an item of your own`;
    return option;
  }

  async function search() {
    const mine = ++turn;
    const reply = await page.ask("search", () => ({ world: page.state.world, query: input.value }));
    if (reply && mine === turn && document.activeElement === input) fill(reply.hits);
  }

  async function take(option) {
    close();
    input.value = "";
    await page.act({ type: "add", item_id: option.dataset.item });
    input.focus();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return close();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) search();
      else point(active + (event.key === "ArrowDown" ? 1 : -1));
    }
    if (event.key === "Enter") {
      event.preventDefault();
      const option = options()[active];
      if (option && !list.hidden) take(option);
    }
  });
  input.addEventListener("blur", () => setTimeout(close, 120));
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
}
