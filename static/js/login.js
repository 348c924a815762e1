// Owns the log-in over the untouched form, for a session that ended while somebody was on the telephone.

import { word } from "./words.js";

export function loginOver({ dialog, server, whenSeen }) {
  const [form, password, wrong] = [dialog.querySelector("form"), dialog.querySelector("[type=password]"), dialog.querySelector(".error")];
  let waiting = null;

  function refuse(text) {
    wrong.textContent = text;
    wrong.hidden = !text;
    password.focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const { status, said } = await server.logIn(password.value);
      if (status === 200) dialog.close("in");
      else refuse(said.text ?? word("no-network"));
    } catch {
      refuse(word("no-network"));
    }
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    password.value = "";
    waiting?.(dialog.returnValue === "in");
    waiting = null;
  });

  /** Ask for the password; whether somebody logged in. */
  return async function logIn() {
    await whenSeen();
    if (dialog.open) return false;
    dialog.returnValue = "";
    dialog.showModal();
    refuse("");
    return new Promise((resolve) => { waiting = resolve; });
  };
}
