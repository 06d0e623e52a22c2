// @ts-check
// The page's way to Python: Gradio hands its functions over once its own script has run.

/** @type {(server: import("./types").Server) => void} */
let resolve;
/** @type {Promise<import("./types").Server>} */
let connected = new Promise((found) => (resolve = found));

/**
 * Gradio calls this once it stands, and again should it ever start anew.
 * @param {import("./types").Server} server
 */
export function connect(server) {
  resolve(server);
  connected = Promise.resolve(server);
}

/** Until calls can be made. */
export const ready = () => connected;

/**
 * Calls a function of the page's server side.
 * @param {string} name
 * @param {unknown} payload
 * @returns {Promise<import("./types").Reply>}
 */
export async function call(name, payload) {
  return (await connected)[name](payload);
}

/** @returns {import("./types").View} the view that the document was rendered with */
export function firstView() {
  const given = window.gradio_config.components.find(({ props }) => props.elem_id === "m2rec");
  if (!given) throw new Error("the page's first view is not in the document");
  return given.props.value;
}
