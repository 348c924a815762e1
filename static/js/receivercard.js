// Owns what is shown of a receiver: its line in the list, its card, and whether it is open now.

import { copyOf, word } from "./words.js";

const PLACES = 3; // of municipalities that are named
const MINUTE = 60_000;
const language = document.documentElement.lang;
const clock = { timeZone: "Europe/Stockholm", hour: "2-digit", minute: "2-digit" };
const DAY = new Intl.DateTimeFormat("sv", { timeZone: "Europe/Stockholm", dateStyle: "short" });
const TIME = new Intl.DateTimeFormat(language, clock);
const WEEKDAY = new Intl.DateTimeFormat(language, { ...clock, weekday: "long" });

const say = (name, values) => word(name, values, "receiver-words");
const timeOf = (at) => (DAY.format(at) === DAY.format(Date.now()) ? TIME : WEEKDAY).format(at);

export function cardsOf(directory) {
  const shown = new Map(); // receiver by card, to tell anew whether it is open
  const isOpen = (receiver) => {
    const { word: name, at } = directory.openness(receiver);
    return say(name, { time: at && timeOf(at) });
  };

  function where({ areas }) {
    if (areas.includes("SE")) return say("country");
    return areas.length > PLACES ? say("places", { n: areas.length }) : areas.map(directory.areaName).join(", ");
  }

  function line(receiver, target) {
    const option = copyOf("receiver-option");
    option.querySelector("[data-name]").textContent = receiver.name;
    option.querySelector("[data-where]").textContent = [receiver.by, where(receiver), target].filter(Boolean).join(" · ");
    option.querySelector("[data-open]").textContent = isOpen(receiver);
    return option;
  }

  function assured({ assured: day, due }) {
    if (!day) return say("never-assured");
    return say(due ? "assured-long-ago" : "assured", { day });
  }

  function card(receiver) {
    const made = copyOf("receiver-card");
    const { name, by, alert = "", phone, ext, languages } = receiver;
    const texts = {
      name, by, alert,
      phone: phone ? (ext ? say("extension", { phone, ext }) : phone) : say("phone-unknown"),
      open: isOpen(receiver),
      languages: languages ? say("languages", { languages: languages.join(", ") }) : "",
      assured: assured(receiver),
    };
    for (const [part, text] of Object.entries(texts)) {
      const place = made.querySelector(`[data-${part}]`);
      place.textContent = text;
      place.hidden = !text;
    }
    made.querySelector("[data-secret]").hidden = !receiver.secret;
    made.querySelector("[data-assured]").classList.toggle("receiver__due", Boolean(receiver.due));
    shown.set(made, receiver);
    return made;
  }

  setInterval(() => {
    for (const [made, receiver] of shown) {
      const [place, text] = [made.querySelector("[data-open]"), isOpen(receiver)];
      if (!made.isConnected) shown.delete(made);
      else if (place.textContent !== text) place.textContent = text;
    }
  }, MINUTE / 2);

  return { line, card };
}
