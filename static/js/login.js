// Owns the log-in over the untouched form, for a session that ended while somebody was on the telephone.

import { given } from "./credential.js";
import { word } from "./words.js";

export function loginOver({ dialog, server, whenSeen }) {
  const [first, second] = ["password", "code"].map((step) => dialog.querySelector(`[data-step=${step}]`));
  const [password, code] = [dialog.querySelector("#again-password"), dialog.querySelector("#again-code")];
  const [wrong, passkey] = [dialog.querySelector(".error"), dialog.querySelector("[data-passkey]")];
  let waiting = null;
  let asked = {}; // what the server wants as second factor: { second: the address, passkey: options }

  function refuse(text, field) {
    wrong.textContent = text;
    wrong.hidden = !text;
    field.focus();
  }

  function stand(isSecond) {
    first.hidden = isSecond;
    second.hidden = !isSecond;
    passkey.hidden = !asked.passkey?.publicKey?.allowCredentials?.length || !window.PublicKeyCredential;
    refuse("", isSecond ? code : password);
  }

  async function give(answer, field) {
    try {
      const { status, said } = await answer;
      if (status === 200) return dialog.close("in");
      if (status === 202) {
        asked = said;
        return stand(true);
      }
      if (status === 401) stand(false); // it took too long: begin anew
      refuse(said.text ?? word("no-network"), status === 401 ? password : field);
    } catch {
      refuse(word("no-network"), field);
    }
  }

  first.addEventListener("submit", (event) => {
    event.preventDefault();
    give(server.logIn(password.value), password);
  });
  second.addEventListener("submit", (event) => {
    event.preventDefault();
    give(server.give(asked.second, { code: code.value }), code);
  });
  passkey.addEventListener("click", () => {
    const proof = given(asked.passkey).then((credential) => server.give(asked.second, { credential: JSON.stringify(credential) }));
    give(proof, code);
  });
  for (const close of dialog.querySelectorAll("[data-close]")) close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    password.value = code.value = "";
    waiting?.(dialog.returnValue === "in");
    waiting = null;
  });

  /** Ask for the password, and for what the account has as second factor; whether somebody logged in. */
  return async function logIn() {
    await whenSeen();
    if (dialog.open) return false;
    dialog.returnValue = "";
    dialog.showModal();
    stand(false);
    return new Promise((resolve) => { waiting = resolve; });
  };
}
