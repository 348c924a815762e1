// Owns the talk with the browser's passkeys: one made, or one given, and sent with the form that asked for it.

import { given, made } from "./credential.js";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const options = JSON.parse(document.getElementById(form.dataset.optionsFrom).textContent);
  const wrong = form.querySelector("[data-wrong]");

  form.hidden = !window.PublicKeyCredential;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.hidden = true;
    try {
      const credential = await (form.dataset.passkey === "create" ? made(options) : given(options));
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch {
      wrong.hidden = false;
    }
  });
}
