// Owns the refusals of a save: a summary with links, and each beside its question, as on the page without a script.

import { copyOf } from "./words.js";

export function refusals(form) {
  function clear() {
    for (const old of document.querySelectorAll("main .summary, form.contact .error[id$='-error']")) old.remove();
    for (const wrong of form.querySelectorAll(".question--wrong")) {
      wrong.classList.remove("question--wrong");
      wrong.removeAttribute("aria-describedby");
    }
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  }

  function mark({ place, text }) {
    const field = document.getElementById(place);
    const box = field.closest(".referral, .question, .earlier, .side");
    const line = copyOf("error-line");
    line.id = `${place.replace(/^(referral-\d+)-target$/, "$1")}-error`;
    line.textContent = text;
    const before = box.querySelector(":scope > .question__body") ?? box;
    const legend = before.querySelector(":scope > legend, :scope > label, :scope > h2");
    if (legend) legend.after(line);
    else before.prepend(line);
    box.classList.add("question--wrong");
    if (box.matches("fieldset")) box.setAttribute("aria-describedby", line.id);
    else {
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", [line.id, field.getAttribute("aria-describedby")].filter(Boolean).join(" "));
    }
  }

  /** Errors are { place, label, text }: the id of the field that a link leads to, the question's name, what to do. */
  function show(errors) {
    clear();
    const summary = copyOf("error-summary");
    for (const error of errors) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `#${error.place}`;
      link.textContent = error.label ? `${error.label}: ${error.text}` : error.text;
      item.append(link);
      summary.querySelector("ul").append(item);
      mark(error);
    }
    document.querySelector("main .jumps").before(summary);
    summary.focus();
    summary.scrollIntoView({ block: "nearest" });
  }

  return { clear, show };
}
