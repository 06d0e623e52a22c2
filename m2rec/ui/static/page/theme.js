// @ts-check
// Light or dark: the visitor's system decides until the visitor does.
import { drawCharts } from "../answer/charts.js";
import { around } from "./dom.js";

const SYSTEM = matchMedia("(prefers-color-scheme: dark)");

/** @param {import("./page.js").Page} page */
export function startTheme(page) {
  const dress = () => {
    const chosen = page.view.theme;
    const dark = chosen === "dark" || (chosen === "auto" && SYSTEM.matches);
    page.root.dataset.theme = dark ? "dark" : "light";
    document.body.classList.toggle("dark", dark);
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
  };
  const redress = () => {
    const before = page.root.dataset.theme;
    dress();
    if (before === page.root.dataset.theme) return;
    drawCharts(page);
    page.root.dispatchEvent(new CustomEvent("m2:dressed"));
  };
  SYSTEM.addEventListener("change", redress);
  page.root.addEventListener("m2:shown", redress);
  page.root.addEventListener("click", (event) => {
    if (around(event, "[data-theme-toggle]")) page.act({ type: "set", theme: page.root.dataset.theme === "dark" ? "light" : "dark" });
  });
  dress();
}
