// Owns the wiring of the contact form: which part hears of what, and what a save leaves behind.

import { asked, goTo, keepApart, renew } from "./answers.js";
import { caseNumberOf } from "./casenumber.js";
import { clockOf } from "./clock.js";
import { coverOf } from "./cover.js";
import { draftOf } from "./draft.js";
import { refusals } from "./errors.js";
import { keysOf } from "./keys.js";
import { loginOver } from "./login.js";
import { receiversOf } from "./receivers.js";
import { referralsOf } from "./referrals.js";
import { dropHints, settle } from "./relevance.js";
import { saveOf } from "./send.js";
import { serverOf } from "./server.js";
import { stateLine } from "./state.js";
import { tellRecent, tellSaved } from "./told.js";
import { typeAhead } from "./typeahead.js";
import { word } from "./words.js";

const DOUBLE = 1000; // milliseconds after a save in which a press on an untouched form is the second of a double click

const form = document.querySelector("form.contact");
const byId = (id) => document.getElementById(id);
const server = serverOf(form);
const state = stateLine(byId("state"));
const cover = coverOf(byId("cover"));
const logIn = loginOver({ dialog: byId("log-in"), server, whenSeen: cover.whenSeen });
const errors = refusals(form);
let isUntouched = true;
let savedAt = -DOUBLE;

const receivers = receiversOf({ form, server, counts: true });
const referrals = referralsOf(form);
const draft = draftOf({ form, server, state, time, kept, lost, logIn });
const changed = () => { isUntouched = false; draft.changed(); };
const clock = clockOf({ form, place: byId("clock"), changed, chosen: () => stayAt(form.elements.key.value) });
const caseNumber = caseNumberOf({ form, server, changed, logIn });
const save = saveOf({ form, server, state, draft, caseNumber, logIn, saved, refused, locked });
const keys = keysOf({ form, server, referrals, save: press, dialog: byId("keys"), startClock, savesShort: true });
typeAhead(form, keys);

// --- the address: a reload finds the draft, and the clock that proposes ------------------------------------------------

function stayAt(key) {
  const query = key ? `?draft=${key}${clock.proposes() ? "&clock=1" : ""}` : "";
  const address = form.getAttribute("action") + query;
  if (location.pathname + location.search !== address) history.replaceState(null, "", address);
  for (const next of document.querySelectorAll("header [name=next]")) next.value = address;
}

// --- the draft and the clock -------------------------------------------------------------------------------------------

const STOCKHOLM = new Intl.DateTimeFormat("sv", { timeZone: "Europe/Stockholm", timeStyle: "short" });

function time() {
  const [h, m] = STOCKHOLM.format(clock.now()).split(":");
  return word("clock", { h, m });
}

function kept(said) {
  clock.opened(said.opened_at);
  stayAt(form.elements.key.value);
}

function lost() {
  state.say("");
  byId("saved-already").showModal();
}

function startClock() {
  clock.begin();
  changed();
  draft.keep();
}

// --- the save ----------------------------------------------------------------------------------------------------------

function press(options) {
  if (isUntouched && performance.now() - savedAt < DOUBLE) return;
  save.save(options);
}

function refused(found, ofCase) {
  caseNumber.refresh(ofCase);
  errors.show(found);
}

function locked(yes) {
  byId("questions").inert = byId("side").inert = yes;
}

function saved(said, { again, number }) {
  if (again && !number) return location.assign(said.again);
  errors.clear();
  for (const old of document.querySelectorAll("main > .saved, main > .summary")) old.remove();
  referrals.clear();
  renew(form, said);
  draft.renew(said.draft_url);
  clock.renew();
  caseNumber.renew();
  settle(form);
  stayAt("");
  state.say("");
  tellSaved(said, number);
  tellRecent(said.contact);
  isUntouched = true;
  savedAt = performance.now();
  scrollTo({ top: 0 });
  goTo(asked(form)[0]);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  press({ again: event.submitter?.dataset.save === "again" });
});

form.addEventListener("change", ({ target }) => {
  if (!target.closest("[data-question]")) return;
  keepApart(target);
  settle(form);
  receivers.reach();
  changed();
});

addEventListener("beforeunload", (event) => {
  if (draft.isUnsaved() || save.isUnsaved()) event.preventDefault();
});

// --- ready -------------------------------------------------------------------------------------------------------------

clock.start.addEventListener("click", startClock);
byId("help").querySelector("[data-keys]").addEventListener("click", keys.open);
byId("help").querySelector("[data-hide]").addEventListener("click", cover.hide);
for (const id of ["clock", "help", "state"]) byId(id).hidden = false;
dropHints(form);
settle(form);
receivers.reach();
