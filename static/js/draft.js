// Owns the draft on the server: kept within a second of a choice and when the page is hidden, never in the browser.

import { bodyOf } from "./answers.js";
import { patience } from "./patience.js";
import { word } from "./words.js";

const WAIT = 1000; // milliseconds from a choice to the draft
const LET_GO = 1000; // the longest that a save waits for a draft under way

export function draftOf({ form, server, state, time, kept, lost, logIn }) {
  let isChanged = false;
  let isOver = false;
  let isSpare = false; // a save waits for its next try, and speaks for both
  let timer = 0;
  let flight = null;

  const tries = patience(keep, (seconds, aloud) => {
    state.say(word("draft-again", { n: seconds }), { aloud, label: "now", then: tries.now });
  });

  function changed() {
    if (isOver && !isSpare) return;
    isChanged = true;
    timer ||= setTimeout(keep, WAIT);
  }

  function pause() {
    clearTimeout(timer);
    timer = 0;
    tries.stop();
  }

  async function put(options) {
    try {
      return await server.tell("PUT", form.dataset.draftUrl, bodyOf(form, { isDraft: true }), options);
    } catch {
      return { status: 0 };
    }
  }

  async function keep() {
    clearTimeout(timer);
    timer = 0;
    if (isSpare) return spare();
    if (isOver || flight) return flight;
    isChanged = false;
    const url = form.dataset.draftUrl;
    state.say(word("draft-saving"), { aloud: false });
    flight = put();
    const answer = await flight;
    flight = null;
    if (url === form.dataset.draftUrl && answer.status !== 200 && answer.status !== 409) isChanged = true;
    // A save may have come between: what is said of the form before is no news any more.
    if (isOver || url !== form.dataset.draftUrl) return null;
    settle(answer);
    return null;
  }

  function settle({ status, said }) {
    if (status === 200) {
      tries.stop();
      kept(said);
      state.say(word("draft-saved", { time: time() }));
      if (isChanged) timer ||= setTimeout(keep, WAIT);
    } else if (status === 409) {
      isOver = true;
      isChanged = false;
      lost();
    } else {
      isChanged = true;
      if (status === 401) state.say(word("draft-logged-out"), { label: "log-in", then: async () => (await logIn()) && keep() });
      else if (status === 400 || status === 404) state.say(word("draft-refused"));
      else tries.begin();
    }
  }

  /** A save failed and waits: what is not kept yet is kept once, without a word, and so is what is changed meanwhile.
   * That the contact is saved already is for the save to find out. */
  async function spare() {
    isSpare = true;
    if (!isChanged || flight) return;
    isChanged = false;
    const url = form.dataset.draftUrl;
    flight = put();
    const { status } = await flight;
    flight = null;
    if (url !== form.dataset.draftUrl) return;
    if (status !== 200 && status !== 409) isChanged = true;
    else if (isChanged && isSpare) timer ||= setTimeout(keep, WAIT);
  }

  /** Nothing more of this form is kept; resolves when a draft under way has arrived or took too long. */
  async function rest() {
    pause();
    isSpare = false;
    if (flight) await Promise.race([flight, new Promise((resolve) => setTimeout(resolve, LET_GO))]);
    isOver = true;
  }

  function resume() {
    isOver = isSpare = false;
    if (isChanged) timer ||= setTimeout(keep, WAIT);
  }

  function renew(url) {
    pause();
    form.dataset.draftUrl = url;
    isChanged = isOver = isSpare = false;
  }

  document.addEventListener("visibilitychange", () => {
    // It stays changed: should the page live on, the draft is kept once more, in order.
    if (document.visibilityState === "hidden" && isChanged && (!isOver || isSpare)) put({ keepalive: true });
  });

  return { changed, keep, rest, spare, resume, renew, isUnsaved: () => !isOver && (isChanged || flight !== null) };
}
