// @ts-check
// Small things about elements and events that several scripts need.

/**
 * The nearest element of a kind around where an event happened.
 * @template {HTMLElement} T
 * @param {Event} event
 * @param {string} selector
 * @returns {T | null}
 */
export function around(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

/**
 * All elements that match, of one kind.
 * @template {HTMLElement} T
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {T[]}
 */
export function all(root, selector) {
  return [.../** @type {NodeListOf<T>} */ (root.querySelectorAll(selector))];
}
