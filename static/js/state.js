// Owns the line that says how it stands with the draft and the save: seen by all, said once to those who listen.

import { word } from "./words.js";

export function stateLine(place) {
  const [said, seen] = [place.querySelector("[data-said]"), place.querySelector("[data-seen]")];
  const button = place.querySelector("button");
  let press = null;
  button.addEventListener("click", () => press?.());

  /** Show a sentence, with a button or without; what listens hears it again only when `aloud`. */
  function say(text, { aloud = true, label = "", then = null } = {}) {
    seen.textContent = text;
    if (aloud) said.textContent = text;
    press = then;
    if (label) button.textContent = word(label);
    button.hidden = !label;
  }

  return { say, focus: () => button.focus() };
}
