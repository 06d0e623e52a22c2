// @ts-check
// The page's way to Python: one POST a call, to an address beside the page's own.

/**
 * Calls a function of the page's server side.
 * @param {string} name
 * @param {unknown} payload
 * @returns {Promise<import("../types").Reply>}
 */
export async function call(name, payload) {
  const response = await fetch(new URL(name, document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(payload),
  });
  return response.json();
}

/** @returns {import("../types").View} the view that the document was rendered with */
export function firstView() {
  return written("#m2-view");
}

/** What the server wrote into the document. @param {string} where */
export function written(where) {
  const given = document.querySelector(where);
  if (!given?.textContent) throw new Error(`${where} is not in the document`);
  return JSON.parse(given.textContent);
}
