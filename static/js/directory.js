// Owns the directory of receivers as the page holds it: fetched whole, so that what is typed never leaves the browser.

const FRESH = 10 * 60_000; // milliseconds after which it is fetched anew
const APART = 5_000; // at least so long between two tries
const TOO_OLD = 86_400; // seconds: older hours say nothing of now
const HORIZON = 7 * 24 * 60; // minutes: what is open longer has no closing time to tell

/** `arrived` hears whenever it came, `failed` when it did not. */
export function directoryOf({ url, server, arrived, failed }) {
  let held = null;
  let behind = 0; // of the browser's clock, in milliseconds
  let [fetchedAt, triedAt] = [-Infinity, -Infinity];

  async function reach() {
    const at = performance.now();
    if (at - fetchedAt < FRESH || at - triedAt < APART) return;
    triedAt = at;
    try {
      const { status, said } = await server.tell("GET", url);
      if (status !== 200) throw new Error(`directory: ${status}`);
      [held, fetchedAt, behind] = [said, at, said.now * 1000 - Date.now()];
      arrived(said);
    } catch {
      failed();
    }
  }

  /** How it stands with the hours of a receiver: a word, and when it changes (milliseconds) where that is to be told. */
  function openness(receiver) {
    const now = Math.floor((Date.now() + behind) / 60_000);
    const periods = held.hours[receiver.hours];
    if (!periods || now * 60 - held.now > TOO_OLD) return { word: "hours-unknown" };
    const [from, to] = periods.find((period) => period[1] > now) ?? [Infinity, Infinity];
    if (from > now) return from - now > HORIZON ? { word: "closed" } : { word: "closed-until", at: from * 60_000 };
    return to - now > HORIZON ? { word: "open" } : { word: "open-until", at: to * 60_000 };
  }

  return { reach, openness, areaName: (code) => held.areas[code] };
}
