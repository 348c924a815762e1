// Owns which questions are asked: by data-asked-when; what is hidden is neither sent nor drafted, but comes back when shown.

import { chosenIn, controlsOf } from "./answers.js";

const conditionsOf = (question) => JSON.parse(question.dataset.askedWhen || "[]");

function isAsked(question, answers) {
  return conditionsOf(question).every(({ question: other, codes, unless }) => {
    const holds = (answers.get(other) ?? []).some((code) => codes.includes(code));
    return holds !== Boolean(unless);
  });
}

function show(question, yes) {
  question.hidden = !yes;
  if (question.matches("fieldset")) question.disabled = !yes;
  else for (const field of controlsOf(question)) field.disabled = !yes;
}

/** Show what the answers make relevant. A condition looks only at questions that stand before it on the page. */
export function settle(form) {
  const answers = new Map();
  for (const question of form.querySelectorAll("[data-question]")) {
    show(question, isAsked(question, answers));
    answers.set(question.dataset.question, chosenIn(question));
  }
  for (const section of form.querySelectorAll("section:has(> [data-question])")) {
    section.hidden = !section.querySelector("[data-question]:not([hidden])");
    const link = document.querySelector(`.jumps [href="#${section.getAttribute("aria-labelledby")}"]`);
    if (link) link.hidden = section.hidden;
  }
}

/** The hints that stand in for relevance where no script runs. */
export function dropHints(form) {
  for (const hint of form.querySelectorAll("p.when")) hint.hidden = true;
}
