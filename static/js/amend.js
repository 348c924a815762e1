// Owns the wiring of the form that amends a contact: what is asked, what stands apart, keys; it is sent as any form.

import { keepApart, onlyProposed } from "./answers.js";
import { coverOf } from "./cover.js";
import { keysOf } from "./keys.js";
import { receiversOf } from "./receivers.js";
import { referralsOf } from "./referrals.js";
import { dropHints, settle } from "./relevance.js";
import { serverOf } from "./server.js";
import { typeAhead } from "./typeahead.js";

const form = document.querySelector("form.contact");
const byId = (id) => document.getElementById(id);
const cover = coverOf(byId("cover"));
const server = serverOf(form);
const receivers = receiversOf({ form, server });
const keys = keysOf({
  form,
  server,
  referrals: referralsOf(form),
  save: () => form.requestSubmit(),
  dialog: byId("keys"),
});
typeAhead(form, keys);

form.addEventListener("change", ({ target }) => {
  if (!target.closest("[data-question]")) return;
  keepApart(target);
  settle(form);
  receivers.reach();
});

form.addEventListener("submit", () => {
  for (const type of onlyProposed(form)) type.value = "";
});

byId("help").querySelector("[data-keys]").addEventListener("click", keys.open);
byId("help").querySelector("[data-hide]").addEventListener("click", cover.hide);
byId("help").hidden = false;
dropHints(form);
settle(form);
receivers.reach();
