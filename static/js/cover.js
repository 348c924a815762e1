// Owns the blank screen: Esc twice covers everything that could be read, Esc shows it again.

const TWICE = 800; // milliseconds between the two

export function coverOf(cover) {
  let last = -TWICE;

  function hide() {
    if (!cover.open) cover.showModal();
  }

  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.repeat || document.querySelector("dialog[open]")) return;
    const isSecond = event.timeStamp - last < TWICE;
    last = isSecond ? -TWICE : event.timeStamp;
    if (isSecond) {
      event.preventDefault();
      hide();
    }
  });
  cover.querySelector("button").addEventListener("click", () => cover.close());

  /** Resolves when the page can be seen. */
  const whenSeen = () => cover.open
    ? new Promise((resolve) => cover.addEventListener("close", resolve, { once: true }))
    : Promise.resolve();

  return { hide, whenSeen };
}
