// Owns the save: sent once, sent again with the same key until the server has answered, never without an answer.

import { bodyOf, onlyProposed } from "./answers.js";
import { patience } from "./patience.js";
import { word } from "./words.js";

const SHUT = 3; // tries during which the form is shut; then it can be worked in while they go on

export function saveOf({ form, server, state, draft, caseNumber, logIn, saved, refused, locked }) {
  let sent = null; // the save under way: { body, again, number, failures }
  let isShut = false;

  const tries = patience(send, (seconds, aloud) => {
    state.say(word("save-again", { n: seconds }), { aloud, label: "now", then: tries.now });
    if (aloud && isShut) state.focus();
  });

  function shut(yes) {
    isShut = yes;
    locked(yes);
    for (const button of form.querySelectorAll("[data-save]")) button.ariaDisabled = yes ? "true" : null;
  }

  /** Nothing was saved: the form is open again, and its draft is kept as before. */
  function release(text, options) {
    sent = null;
    tries.stop();
    shut(false);
    draft.resume();
    if (text) state.say(text, options);
  }

  async function send() {
    await draft.rest();
    state.say(word("saving"));
    sent.body = bodyOf(form);
    let answer;
    try {
      answer = await server.tell("POST", form.getAttribute("action"), sent.body);
    } catch {
      answer = { status: 0 };
    }
    await settle(answer);
  }

  async function settle({ status, said = {} }) {
    if (status === 201) {
      // What was changed while the answer was on its way is not in it: the key then stands for something else.
      if (!isShut && String(bodyOf(form)) !== String(sent.body)) return send();
      tries.stop();
      const done = sent;
      sent = null;
      shut(false);
      saved(said, done);
    } else if (status === 401) {
      if (await logIn()) await send();
      else release(word("save-logged-out"));
    } else if (status === 409) leave();
    else if (status === 422) {
      release("");
      state.say("");
      refused(said.errors, said.case);
    } else if (status === 0 || status === 429 || status >= 500) await wait();
    else release(word("save-refused"));
    return null;
  }

  /** Not this time: the draft may be kept before the next try, and after some tries the form can be worked in. */
  async function wait() {
    sent.failures += 1;
    tries.begin();
    if (sent.failures === SHUT) shut(false);
    await draft.spare();
  }

  /** The key stands for a contact that says something else: the server's page shows both, to choose between. */
  function leave() {
    sent = null;
    shut(false);
    for (const type of onlyProposed(form)) type.value = "";
    form.submit();
  }

  /** Save what the form says now; `again` opens a form for the same caller afterwards. */
  async function save({ again = false } = {}) {
    if (isShut) return;
    if (sent) {
      sent.again = again;
      tries.now();
      return;
    }
    sent = { again, failures: 0, number: "" };
    shut(true);
    sent.number = await caseNumber.arrived();
    await send();
  }

  return { save, isUnsaved: () => sent !== null };
}
