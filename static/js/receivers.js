// Owns the search for a receiver in each row of referrals: a combobox with a list, what is chosen, and that there is none.

import { directoryOf } from "./directory.js";
import { answering, ranked, searchable } from "./ranking.js";
import { cardsOf } from "./receivercard.js";
import { copyOf, word } from "./words.js";

const LINES = 8; // of the list
const REFERRED = "hanvisning";
const LACKING = "saknas";
const COUNTY = /^(\d\d|UTL)$/;
const NUMBERED = ["id", "name", "for", "aria-controls"];

const part = (row, name) => row.querySelector(`[name$="-${name}"]`);
const searchOf = (row) => row.querySelector("[role=combobox]");
const listOf = (row) => row.querySelector("[role=listbox]");
const rowOf = (element) => element.closest(".referral");

/** Make a row, or what stands in it, the one with this number. */
export function number(row, n) {
  for (const element of row.querySelectorAll("[id], [name], [for]")) {
    for (const name of NUMBERED) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, value.replace(/^referral-\d+/, `referral-${n}`));
    }
  }
}

function close(row) {
  const search = searchOf(row);
  listOf(row).replaceChildren();
  listOf(row).hidden = true;
  search.ariaExpanded = "false";
  search.removeAttribute("aria-activedescendant");
}

/** Nothing is typed and nobody is chosen in a row; what its lists say stands. */
export function forget(row) {
  if (!searchOf(row)) return;
  close(row);
  searchOf(row).value = "";
  delete row.dataset.target;
  part(row, "service")?.setAttribute("value", "");
  row.querySelector("[data-card]").replaceChildren();
  row.querySelector("[data-count]").textContent = "";
}

/** `counts`: the form says which service was chosen, so that its use is counted. */
export function receiversOf({ form, server, counts = false }) {
  const question = form.querySelector('[data-question="referrals"]');
  const rows = () => [...question.querySelectorAll(".referral")];
  const options = () => [...part(rows()[0], "target").options];
  const labelOf = (target) => options().find((option) => option.value === target)?.text ?? "";
  const directory = directoryOf({ url: form.dataset.receiversUrl, server, arrived, failed });
  const cards = cardsOf(directory);
  const failure = copyOf("receiver-failed");
  let searched = null; // of the directory, when it has come

  function arrived(said) {
    failure.remove();
    searched = searchable(said, labelOf);
    for (const row of rows()) row.querySelector("[data-finds]").hidden = !said.receivers.length;
  }

  function failed() {
    if (!searched) rows()[0].before(failure);
  }

  // --- the list ----------------------------------------------------------------------------------------------------

  const optionsOf = (row) => [...listOf(row).children];
  const markedOf = (row) => optionsOf(row).find((option) => option.ariaSelected === "true");

  function mark(row, option) {
    for (const other of optionsOf(row)) other.ariaSelected = String(other === option);
    searchOf(row).setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function county() {
    const said = form.elements.county;
    return said && !said.disabled && COUNTY.test(said.value) ? said.value : "";
  }

  function find(row) {
    const search = searchOf(row);
    const found = ranked(searched, search.value, county());
    const lines = found.slice(0, LINES).map((receiver, n) => {
      const option = cards.line(receiver, labelOf(receiver.target));
      option.id = `${search.id}-${n}`;
      option.addEventListener("click", () => choose(row, receiver));
      return option;
    });
    listOf(row).replaceChildren(...lines);
    listOf(row).hidden = !lines.length;
    search.ariaExpanded = String(lines.length > 0);
    search.removeAttribute("aria-activedescendant");
    const said = word(lines.length ? "found" : "none", { n: found.length }, "receiver-words");
    row.querySelector("[data-count]").textContent = said;
    row.querySelector("[data-count]").classList.toggle("sr-only", lines.length > 0);
    if (lines.length) mark(row, lines[0]);
  }

  function step(row, n) {
    if (listOf(row).hidden) return find(row);
    const lines = optionsOf(row);
    return mark(row, lines[(lines.indexOf(markedOf(row)) + n + lines.length) % lines.length]);
  }

  // --- what is chosen ----------------------------------------------------------------------------------------------

  /** What the lists of a row say goes before what was chosen: another kind, or that there is none. */
  function settle(row) {
    const isLacking = part(row, "outcome").value === LACKING;
    if (row.dataset.target && (isLacking || row.dataset.target !== part(row, "target").value)) forget(row);
    if (!row.dataset.target) row.querySelector("[data-card]").replaceChildren(...(isLacking ? [copyOf("receiver-lacking")] : []));
  }

  function say(row, target, outcome) {
    part(row, "target").value = target;
    part(row, "outcome").value = outcome;
    part(row, "target").dispatchEvent(new Event("change", { bubbles: true }));
  }

  function choose(row, receiver) {
    forget(row);
    searchOf(row).value = receiver.name;
    part(row, "service")?.setAttribute("value", receiver.id);
    row.querySelector("[data-card]").replaceChildren(cards.card(receiver));
    part(row, "type").value ||= REFERRED;
    row.dataset.target = receiver.target;
    const outcome = part(row, "outcome");
    say(row, receiver.target, outcome.value === LACKING ? outcome.options[0].value : outcome.value);
  }

  /** There is no such receiver where the caller is: of the kind that is typed, or chosen, or to be chosen now. */
  function lack(row) {
    const target = answering(options(), row.dataset.target ? "" : searchOf(row).value) || part(row, "target").value;
    forget(row);
    part(row, "type").value = REFERRED;
    say(row, target, LACKING);
    if (!target) part(row, "target").focus();
  }

  // --- the keys ----------------------------------------------------------------------------------------------------

  const KEYS = {
    ArrowDown: (row) => step(row, 1),
    ArrowUp: (row) => step(row, -1),
    Escape: close,
  };

  /** Enter takes what is marked; with Ctrl the form is saved then. What nobody answers to is chosen by its kind. */
  function enter(event, row) {
    const marked = markedOf(row);
    if (marked) marked.click();
    else if (!searchOf(row).value || row.dataset.target) return;
    else part(row, "target").focus();
    if (!event.ctrlKey && !event.metaKey) event.preventDefault();
  }

  question.addEventListener("keydown", (event) => {
    const row = rowOf(event.target);
    if (!row || event.isComposing || event.altKey || event.shiftKey) return;
    if (event.key === "F2") lack(row);
    else if (event.target !== searchOf(row)) return;
    else if (event.key === "Enter") return enter(event, row);
    else if (event.ctrlKey || event.metaKey || !KEYS[event.key] || !searched) return;
    else KEYS[event.key](row);
    event.preventDefault();
  });

  // --- ready -------------------------------------------------------------------------------------------------------

  question.addEventListener("input", ({ target }) => {
    const row = rowOf(target);
    if (!row || target !== searchOf(row)) return;
    const typed = target.value;
    if (row.dataset.target) forget(row);
    target.value = typed;
    if (typed.trim()) find(row);
    else close(row);
  });
  question.addEventListener("change", (event) => {
    const row = rowOf(event.target);
    if (!row) return;
    if (event.target === searchOf(row)) event.stopPropagation(); // words are no answer
    else settle(row);
  });
  question.addEventListener("focusout", ({ target }) => target.matches("[role=combobox]") && close(rowOf(target)));
  question.addEventListener("pointerdown", (event) => event.target.closest("[role=listbox]") && event.preventDefault());
  question.addEventListener("click", ({ target }) => target.closest("[data-lacking]") && lack(rowOf(target)));
  rows().forEach((row, n) => {
    const finder = copyOf("receiver-finder");
    if (counts) finder.append(Object.assign(document.createElement("input"), { type: "hidden", name: "referral-0-service" }));
    row.querySelector(".referral__parts").before(finder);
    number(finder, n);
  });

  question.addEventListener("focusin", directory.reach);

  return { reach: () => question.hidden || directory.reach() };
}
