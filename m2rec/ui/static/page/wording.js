// @ts-check
// Numbers and sentences as the server writes them (m2rec/ui/render/words.py, summary.py), for answers that are computed here.
import { written } from "./server.js";

/** @typedef {import("../types").BranchName} BranchName */

/** @type {{ key: BranchName, name: string, plain: string, mark: string }[]} in the order of the page */
export const EVIDENCE = written("#m2-evidence");

/**
 * A share as a person writes it: 81 %, 4.2 %, < 0.1 %.
 * @param {number} share
 */
export function percent(share) {
  if (share >= 0.995) return share >= 0.9995 ? "100 %" : "> 99 %";
  if (share >= 0.0995) return `${(share * 100).toFixed(0)} %`;
  if (share === 0) return "0 %";
  return share >= 0.0005 ? `${(share * 100).toFixed(1)} %` : "< 0.1 %";
}

/**
 * A number that carries the evidence it comes from.
 * @param {string} text
 * @param {BranchName} kind
 */
export function numbered(text, kind) {
  const { name, mark } = EVIDENCE.find(({ key }) => key === kind) ?? EVIDENCE[0];
  const number = Object.assign(document.createElement("b"), { className: `num ${kind}` });
  const said = Object.assign(document.createElement("span"), { className: "sr", textContent: `${name}: ` });
  const shown = Object.assign(document.createElement("span"), { className: "mark", ariaHidden: "true", textContent: mark });
  number.append(said, shown, text);
  return number;
}
