// Owns the wiring of the form that amends a contact: what is asked, what stands apart, lists; it is sent as any form.

import { keepApart, onlyProposed } from "./answers.js";
import { referralsOf } from "./referrals.js";
import { dropHints, settle } from "./relevance.js";
import { typeAhead } from "./typeahead.js";

const form = document.querySelector("form.contact");

referralsOf(form);
typeAhead(form, { isOn: () => form.dataset.shortcuts === "1", goOn: () => {} });

form.addEventListener("change", ({ target }) => {
  if (!target.closest("[data-question]")) return;
  keepApart(target);
  settle(form);
});

form.addEventListener("submit", () => {
  for (const type of onlyProposed(form)) type.value = "";
});

dropHints(form);
settle(form);
