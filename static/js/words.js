// Owns the words that scripts show: they stand, translated, in the page's template "words" or another one.

export function word(name, values = {}, place = "words") {
  const text = document.getElementById(place).content.querySelector(`[data-word="${name}"]`).textContent;
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

/** A copy of a template of the page, its first element. */
export function copyOf(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}
