// Owns the case number in the form: checked as soon as it is whole, given to a caller once, kept as a ticket alone.

import { digitsOf } from "./answers.js";
import { word } from "./words.js";

const DIGITS = 9;
const PATIENCE = 5000; // milliseconds that a save waits for a number that is on its way

export function caseNumberOf({ form, server, changed, logIn }) {
  const { case_number: field, case: ticket, key } = form.elements;
  const said = document.getElementById("case-said");
  const given = document.getElementById("case-given");
  const spoken = given.querySelector("output");
  const button = form.querySelector("[name=new_case]");
  // The case that stands when the field is empty: given here or restored with the draft. What is typed only covers it.
  let standing = { ticket: ticket.value, said: said.textContent };
  let asked = "";
  let known = "";
  let flight = null;

  function say(text, isWrong = false) {
    said.textContent = text;
    said.classList.toggle("error", isWrong);
    if (isWrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }

  function take(value) {
    if (ticket.value !== value) {
      ticket.value = value;
      changed();
    }
    settle();
  }

  /** A given number is shown while its case stands; a second one is not offered beside a case. */
  function settle() {
    given.hidden = !spoken.textContent || ticket.value !== standing.ticket;
    button.hidden = Boolean(ticket.value);
  }

  async function ask(body) {
    try {
      const answer = await server.tell("POST", form.dataset.caseUrl, new URLSearchParams(body));
      if (answer.status !== 401) return answer;
      return (await logIn()) ? ask(body) : answer;
    } catch {
      return { status: 0, said: {} };
    }
  }

  function stand() {
    delete field.dataset.found;
    take(standing.ticket);
    say(standing.said);
  }

  async function check() {
    const number = digitsOf(field);
    if (number === asked) return;
    asked = number;
    if (!number) return stand();
    if (number === field.dataset.found) return say(known);
    say("");
    if (number.length !== DIGITS) return;
    say(word("case-checking"));
    const of = key.value;
    const { status, said: answer } = await ask({ number });
    if (asked !== number || key.value !== of) return;
    if (status === 200) {
      field.dataset.found = number;
      known = word("case-known", { said: answer.said });
      take(answer.ticket);
      say(known);
    } else {
      if (status === 0 || status >= 500) asked = "";
      say(answer.text ?? word("case-unchecked"), true);
    }
  }

  async function give() {
    const of = key.value;
    const { status, said: answer } = await ask({ new: "1" });
    if (key.value !== of) return ""; // the form is another caller's by now
    if (status !== 201) {
      say(answer.text ?? word("case-unchecked"), true);
      return "";
    }
    field.value = asked = "";
    spoken.textContent = answer.spoken;
    standing = { ticket: answer.ticket, said: "" };
    const hadCursor = document.activeElement === button;
    stand();
    if (hadCursor) given.focus();
    return answer.spoken;
  }

  async function press(event) {
    event.preventDefault();
    if (flight) return;
    button.ariaDisabled = "true";
    flight = give();
    await flight;
    flight = null;
    button.ariaDisabled = null;
  }

  /** Resolves when no number is on its way, or it takes too long; to the number that nobody has had time to read. */
  async function arrived() {
    return flight ? Promise.race([flight, new Promise((resolve) => setTimeout(resolve, PATIENCE, ""))]) : "";
  }

  function renew() {
    asked = spoken.textContent = "";
    standing = { ticket: "", said: "" };
    stand();
  }

  field.addEventListener("input", check);
  field.addEventListener("change", check);
  button.addEventListener("click", press);
  settle();
  return { renew, arrived };
}
