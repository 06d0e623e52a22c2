// @ts-check
// A lesson and the panel that it is about: on a small screen the panel is brought below the lesson, which stays at the top.

const SMALL = matchMedia("(max-width: 820px)");
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** @param {import("../page/page.js").Page} page */
export function startLesson(page) {
  let step = "";
  page.root.addEventListener("m2:shown", () => {
    const lesson = page.seek(".lesson");
    const { lesson: name, lesson_step } = page.state;
    const now = `${name} ${lesson_step}`;
    if (now === step) return;
    step = now;
    if (!lesson || !SMALL.matches) return;
    const panel = page.seek(`.panel.${lesson.dataset.about === "cards" ? "next" : lesson.dataset.about}`);
    panel?.scrollIntoView({ block: "start", behavior: CALM.matches ? "auto" : "smooth" });
  });
}
