// Owns the keyboard: keys that choose inside the focused group, sequences that jump, and the page that shows them.

import { NOT_ASKED, asked, chosenIn, goTo, isAnswered, picksOf } from "./answers.js";

const KEYS = [..."123456789abcdefhijklm"];
const SILENT = { vet_ej: "v", avboj: "x", [NOT_ASKED]: "0" };
const SEQUENCE = 2000; // milliseconds from `g` to what follows
const FULL = "relevant"; // the one result after which a conversation is asked about

const isTyping = (element) => element.matches("input:not([type=radio], [type=checkbox]), select, textarea");

/** What a page does not have is not given: a clock to start, a short result that is all there is to save. */
export function keysOf({ form, server, referrals, save, dialog, startClock = null, savesShort = false }) {
  let isOn = form.dataset.shortcuts === "1";
  let goAt = -SEQUENCE;
  const questionOf = (element) => element.closest?.("[data-question]");
  const groups = () => [...form.querySelectorAll("fieldset[data-question]:not([data-question=referrals])")];

  // --- which key chooses what --------------------------------------------------------------------------------------

  function keyed(question) {
    const free = [...KEYS];
    return new Map(picksOf(question).map((pick) => [pick.closest(".silent") ? SILENT[pick.value] : free.shift(), pick]));
  }

  function label() {
    for (const badge of form.querySelectorAll(".pick kbd")) badge.remove();
    for (const hint of form.querySelectorAll("kbd[data-hint]")) hint.hidden = !isOn;
    if (!isOn) return;
    for (const [key, pick] of groups().flatMap((question) => [...keyed(question)])) {
      const badge = document.createElement("kbd");
      badge.className = "key";
      badge.ariaHidden = "true";
      badge.textContent = key;
      pick.after(badge);
    }
  }

  function choose(question, key) {
    const pick = keyed(question).get(key);
    if (pick?.type === "radio") {
      pick.focus();
      pick.click();
      if (!isWhole(question)) goOn(question);
    } else if (pick) {
      pick.focus();
      pick.click();
    } else if (key === "0") {
      for (const one of picksOf(question)) if (one.type === "checkbox" && one.checked) one.click();
    } else return false;
    return true;
  }

  // --- where the cursor goes ---------------------------------------------------------------------------------------

  const isWhole = (question) =>
    savesShort && question.dataset.question === "result" && chosenIn(question).some((code) => code !== FULL);

  /** To the next question that is asked and open; after the last one, to the button that saves. */
  function goOn(question) {
    const all = asked(form);
    const next = all.slice(all.indexOf(question) + 1).find((other) => !isAnswered(other));
    if (next) goTo(next);
    else form.querySelector("[data-save]").focus();
  }

  function jump(key) {
    const number = form.elements.case_number;
    if (key === "n" && number) {
      number.focus();
      return true;
    }
    const section = form.querySelectorAll("section:has(> [data-question])")[Number(key) - 1];
    const first = section?.querySelector("[data-question]:not([hidden])");
    if (first) goTo(first);
    return Boolean(section);
  }

  // --- the keys ----------------------------------------------------------------------------------------------------

  function enter(event) {
    const question = questionOf(event.target);
    if (event.ctrlKey || event.metaKey) save();
    else if (event.target.matches("button, a, summary")) return false;
    else if (event.target.name === "case_number") goTo(asked(form).find((other) => !isAnswered(other)) ?? asked(form)[0]);
    else if (!question) return false;
    else if (isWhole(question)) save();
    else {
      const within = referrals.following(event.target);
      if (within) within.focus();
      else goOn(question);
    }
    return true;
  }

  function single(event) {
    const follows = event.timeStamp - goAt < SEQUENCE;
    goAt = -SEQUENCE;
    const question = questionOf(event.target);
    const key = event.shiftKey ? event.key : event.key.toLowerCase(); // Caps Lock may be on
    if (follows && jump(key)) return true;
    if (key === "?") open();
    else if (key === "g") goAt = event.timeStamp;
    else if (key === "s" && startClock) startClock();
    else return Boolean(question?.matches("fieldset") && event.target.matches("input") && choose(question, key));
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.key === "Enter") {
      if (!event.altKey && !event.shiftKey && (event.repeat || enter(event))) event.preventDefault();
    } else if (isOn && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target) && single(event)) {
      event.preventDefault();
    }
  });

  // --- the page of keys --------------------------------------------------------------------------------------------

  const [turn, failed] = [dialog.querySelector("[data-switch]"), dialog.querySelector(".error")];

  function open() {
    turn.checked = isOn;
    failed.hidden = true;
    dialog.showModal();
  }

  async function isRemembered() {
    try {
      const body = new URLSearchParams({ on: isOn ? "1" : "0" });
      const { status } = await server.tell("POST", form.dataset.shortcutsUrl, body);
      return status === 204;
    } catch {
      return false;
    }
  }

  turn.addEventListener("change", async () => {
    isOn = turn.checked;
    label();
    failed.hidden = await isRemembered();
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());

  label();
  return { open, isOn: () => isOn, goOn: (element) => goOn(questionOf(element)) };
}
