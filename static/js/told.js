// Owns what the page says after a save: which contact it was, and the last five.

import { copyOf } from "./words.js";

const LINES = 5;

/** `number` is a case number that came so late that nobody has read it in the form. */
export function tellSaved({ contact, again }, number = "") {
  const line = copyOf("saved-line");
  line.querySelector("[data-label]").textContent = contact.label;
  line.querySelector(".case__number").textContent = number;
  line.querySelector("[data-case]").hidden = !number;
  line.querySelector("[data-change]").href = contact.url;
  line.querySelector("[data-again]").href = again;
  document.getElementById("told").replaceChildren(line);
}

/** The newest of the list of five. */
export function tellRecent(contact) {
  const line = copyOf("recent-line");
  line.querySelector(".recent__time").textContent = contact.time;
  const link = line.querySelector("a");
  link.href = contact.url;
  link.textContent = contact.label;
  if (!contact.is_open) line.querySelector(".recent__open").remove();
  const place = document.getElementById("recent");
  const list = place.querySelector("ul");
  // Saved twice by two windows it is one contact still.
  for (const old of [...list.children]) if (old.querySelector("a").pathname === link.pathname) old.remove();
  list.prepend(line);
  while (list.children.length > LINES) list.lastElementChild.remove();
  place.hidden = false;
}
