// Owns the case number in the form: checked as soon as it is whole, given to a caller once, kept as a ticket alone.

import { digitsOf } from "./answers.js";
import { copyOf, word } from "./words.js";

const DIGITS = 9;
const PATIENCE = 5000; // milliseconds that a save waits for a number that is on its way

export function caseNumberOf({ form, server, changed, logIn }) {
  const { case_number: field, case: ticket, key } = form.elements;
  const said = document.getElementById("case-said");
  const given = document.getElementById("case-given");
  const spoken = given.querySelector("output");
  const button = form.querySelector("[name=new_case]");
  const earlier = document.getElementById("earlier");
  // The case that stands when the field is empty: given here or restored with the draft. What is typed only covers it.
  const none = { rows: [], isHidden: true };
  const rows = [...earlier.querySelector("[data-rows]").children];
  let standing = { ticket: ticket.value, said: said.textContent, rows, isHidden: earlier.hidden };
  let asked = "";
  let short = ""; // the number that was said to be too short or too long
  let known = "";
  let found = {}; // what the server said of the case of that number
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

  /** The referrals that the case had before and that can still change, each with the outcome it has. */
  function showEarlier({ earlier: rows = [], has_closed: hasClosed = false } = {}) {
    const place = earlier.querySelector("[data-rows]");
    place.replaceChildren(
      ...rows.map(({ name, label, outcome }) => {
        const line = copyOf("earlier-row");
        const select = line.querySelector("select");
        const text = line.querySelector("label");
        const shown = line.querySelector("input");
        text.textContent = label;
        text.htmlFor = select.id = select.name = name;
        select.value = shown.value = outcome;
        shown.name = `${name}-shown`;
        return line;
      }),
    );
    earlier.querySelector("[data-closed]").hidden = !hasClosed;
    earlier.hidden = !rows.length && !hasClosed;
  }

  /** What a refused save says of the case: its earlier referrals as they are by now. */
  function refresh(ofCase) {
    if (ofCase) showEarlier((found = ofCase));
  }

  function stand() {
    delete field.dataset.found;
    take(standing.ticket);
    say(standing.said);
    earlier.querySelector("[data-rows]").replaceChildren(...standing.rows);
    earlier.hidden = standing.isHidden;
  }

  async function check() {
    const number = digitsOf(field);
    if (number === asked) return;
    asked = number;
    if (!number) return stand();
    if (number === field.dataset.found) {
      showEarlier(found);
      return say(known);
    }
    say("");
    showEarlier();
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
      showEarlier((found = answer));
    } else {
      if (status === 0 || status >= 500) asked = "";
      say(answer.text ?? word("case-unchecked"), true);
    }
  }

  /** Enter after a number that is not whole says so first; a second Enter goes on. */
  function enter(event) {
    const number = digitsOf(field);
    const isPlain = event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    if (!isPlain || event.repeat || !number || number.length === DIGITS || number === short) return;
    event.preventDefault();
    short = number;
    say(word("case-short"), true);
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
    standing = { ticket: answer.ticket, said: "", ...none };
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
    asked = short = spoken.textContent = "";
    standing = { ticket: "", said: "", ...none };
    stand();
  }

  field.addEventListener("input", check);
  field.addEventListener("change", check);
  field.addEventListener("keydown", enter);
  button.addEventListener("click", press);
  form.querySelector("[name=find_case]").hidden = true; // a number is looked up as soon as it is whole
  settle();
  return { renew, arrived, refresh };
}
