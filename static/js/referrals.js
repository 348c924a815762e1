// Owns the rows of referrals: one more without a trip, the type that the action proposes, consent where it is asked.

import { entrance } from "./answers.js";
import { forget, number } from "./receivers.js";

const ROWS = 8;
const ARRANGED = "formedling";
const PROPOSES = { hanvisat: "hanvisning", formedlat: ARRANGED };

const part = (row, name) => row.querySelector(`[name$="-${name}"]`);
const isEmpty = (row) => !part(row, "target").value && !part(row, "type").value;

export function referralsOf(form) {
  const question = form.querySelector('[data-question="referrals"]');
  const more = question.querySelector("[name=add_referral]");
  const rows = () => [...question.querySelectorAll(".referral")];

  function settleRow(row) {
    const consent = part(row, "consent");
    consent.disabled = part(row, "type").value !== ARRANGED;
    consent.closest("label").hidden = consent.disabled;
  }

  function settle() {
    rows().forEach(settleRow);
    if (more) more.hidden = rows().length >= ROWS;
  }

  function add() {
    const row = rows()[0].cloneNode(true);
    number(row, rows().length);
    row.querySelector("[data-row-number]").textContent = rows().length + 1;
    empty(row);
    rows().at(-1).after(row);
    settle();
    return row;
  }

  function empty(row) {
    delete row.dataset.proposed;
    forget(row);
    for (const select of row.querySelectorAll("select")) select.selectedIndex = 0;
    part(row, "consent").checked = false;
    row.classList.remove("question--wrong");
    row.removeAttribute("aria-describedby");
    row.querySelector(".error")?.remove();
  }

  /** When an action is ticked, the first empty row gets the type that goes with it; when it is taken back, the row is
   * empty again, unless somebody filled it. */
  function propose(action) {
    const type = PROPOSES[action.value];
    if (!type) return;
    const waiting = rows().find((row) => row.dataset.proposed === type && !part(row, "target").value);
    if (action.checked && !waiting && !rows().some((row) => part(row, "type").value === type)) {
      const row = rows().find(isEmpty) ?? (rows().length < ROWS ? add() : null);
      if (!row) return;
      part(row, "type").value = row.dataset.proposed = type;
    } else if (!action.checked && waiting) empty(waiting);
    settle();
  }

  /** The part of the row that still wants something after `field`, or nothing. */
  function following(field) {
    const row = field.closest(".referral");
    if (!row) return null;
    const consent = part(row, "consent");
    const wanted = [part(row, "target"), part(row, "type")].filter((select) => !select.value);
    if (!consent.disabled && !consent.checked) wanted.push(consent);
    const isUsed = part(row, "target").value || field === part(row, "type");
    return isUsed ? (wanted.find((other) => other !== field) ?? null) : null;
  }

  function clear() {
    rows().slice(1).forEach((row) => row.remove());
    empty(rows()[0]);
    settle();
  }

  more?.addEventListener("click", (event) => {
    event.preventDefault();
    entrance(add()).focus();
  });
  question.addEventListener("change", settle);
  form.addEventListener("change", ({ target }) => target.name === "actions" && propose(target));
  settle();
  return { clear, following };
}
