// Owns the refusal of a file that is too large before any of it is sent; without this the server says the same.

const form = document.querySelector("form.import");
const field = form.querySelector("[type=file]");
const error = form.querySelector("#file-error");

function isTooLarge() {
  return [...field.files].some((file) => file.size > Number(form.dataset.most));
}

function tell() {
  error.textContent = isTooLarge() ? error.dataset.tooLarge : "";
  error.hidden = !error.textContent;
}

field.addEventListener("change", tell);
form.addEventListener("submit", (event) => {
  if (!isTooLarge()) return;
  event.preventDefault();
  tell();
  field.focus();
});
