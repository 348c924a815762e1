// Owns what is chosen in the form: read, chosen, cleared, and put into the body of a request.

export const NOT_ASKED = "ej_fragat";
const TELEPHONE = "telefon";

export const controlsOf = (question) => [...question.querySelectorAll("input, select")];
export const picksOf = (question) => [...question.querySelectorAll("input[type=radio], input[type=checkbox]")];

/** The questions that are asked now, in the order of the page. */
export function asked(form) {
  return [...form.querySelectorAll("[data-question]")].filter((question) => !question.hidden);
}

/** The codes chosen in a question, none for one that is not asked. */
export function chosenIn(question) {
  if (question.hidden) return [];
  const fields = controlsOf(question).filter((field) => (field.type ?? "").match(/radio|checkbox/) === null || field.checked);
  return fields.map((field) => field.value).filter((value) => value !== "");
}

/** Whether a question has an answer other than "not asked". */
export function isAnswered(question) {
  if (question.dataset.question === "referrals") return false;
  return chosenIn(question).some((code) => code !== NOT_ASKED);
}

/** Where the cursor goes in a row of referrals: to the search for a receiver, where there are any. */
export function entrance(row) {
  const search = row.querySelector("[role=combobox]");
  return search && !search.closest("[hidden]") ? search : row.querySelector("[name$=-target]");
}

/** Where the cursor goes in a question: what is chosen, else the first that can be. */
export function landing(question) {
  const fields = controlsOf(question).filter((field) => !field.disabled && field.type !== "hidden");
  if (question.dataset.question === "referrals") {
    const rows = [...question.querySelectorAll(".referral")];
    return entrance(rows.find((row) => !row.querySelector("[name$=-target]").value) ?? rows[0]);
  }
  return fields.find((field) => field.checked) ?? fields[0];
}

export function goTo(question) {
  landing(question).focus();
  question.scrollIntoView({ block: "nearest" });
}

/** The digits of a number that is typed with spaces, hyphens or by mistake with letters. */
export const digitsOf = (field) => field.value.replace(/\D/g, "");

/** What a request says: everything that is asked, without a type that was proposed to a row nobody filled. A draft says
 * neither a number that is typed nor which services were chosen. */
export function bodyOf(form, { isDraft = false } = {}) {
  const body = new URLSearchParams(new FormData(form));
  body.delete("csrfmiddlewaretoken"); // it goes beside the body
  const typed = form.elements.case_number;
  const number = digitsOf(typed);
  // A case that stands goes with the call, unless the field says a number that nobody has found yet.
  if (!isDraft && number && number !== typed.dataset.found) body.delete("case");
  if (isDraft || body.get("case")) body.delete("case_number");
  if (isDraft) for (const name of [...body.keys()]) if (name.endsWith("-service")) body.delete(name);
  for (const type of onlyProposed(form)) body.delete(type.name);
  return body;
}

/** The types that were proposed to rows of referrals that nobody filled. */
export function onlyProposed(form) {
  const rows = [...form.querySelectorAll(".referral[data-proposed]")].filter((row) => !row.querySelector("[name$=-target]").value);
  return rows.map((row) => row.querySelector("[name$=-type]")).filter((type) => type.value === type.closest(".referral").dataset.proposed);
}

/** An answer and its opposite: what stands alone clears the others, an answer clears what stands alone. */
export function keepApart(pick) {
  if (pick.type !== "checkbox" || !pick.checked) return;
  const question = pick.closest("[data-question]");
  const isAlone = (other) => "alone" in other.dataset || other.closest(".silent") !== null;
  for (const other of picksOf(question)) {
    if (other !== pick && other.checked && (isAlone(pick) || isAlone(other))) other.checked = false;
  }
}

/** Empty a question as a new form has it. */
export function clear(question) {
  for (const pick of picksOf(question)) pick.checked = pick.value === NOT_ASKED || pick.value === TELEPHONE;
  for (const select of question.querySelectorAll("select")) select.selectedIndex = 0;
}

/** Make the form the next contact's: nothing chosen, a new key, today. */
export function renew(form, { key, today }) {
  for (const question of form.querySelectorAll("[data-question]")) clear(question);
  form.elements.key.value = key;
  form.elements.case.value = form.elements.case_number.value = "";
  const day = form.elements.day;
  if (day.max !== today) {
    const moved = Date.parse(today) - Date.parse(day.max);
    day.min = new Date(Date.parse(day.min) + moved).toISOString().slice(0, 10);
    day.max = today;
  }
  day.value = today;
}
