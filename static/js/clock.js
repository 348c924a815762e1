// Owns the time that the call has taken, by the server's clock, and the band of length that it proposes.

const BANDS = [["u5", 5], ["5_14", 15], ["15_29", 30], ["30_59", 60], ["60", Infinity]]; // up to so many minutes
const TWO = (number) => String(number).padStart(2, "0");

export function clockOf({ form, place, changed, chosen }) {
  const behind = Date.parse(form.dataset.now) - Date.now();
  const shown = place.querySelector("[role=timer]");
  const start = place.querySelector("[data-start]");
  const mark = form.querySelector("[data-proposed-by-clock]");
  const lengths = [...form.querySelectorAll("[name=length]")];
  const now = () => Date.now() + behind;
  let since = Date.parse(form.dataset.opened) || 0;
  let proposes = since > 0 && new URLSearchParams(location.search).has("clock");

  function propose() {
    const minutes = (now() - since) / 60_000;
    const [code] = BANDS.find(([, end]) => minutes < end);
    const band = lengths.find((field) => field.value === code);
    if (!band || band.checked) return;
    band.checked = true;
    changed();
  }

  function show() {
    const seconds = Math.max(0, Math.floor((now() - since) / 1000));
    const hours = Math.floor(seconds / 3600);
    shown.textContent = `${hours ? `${hours}:` : ""}${TWO(Math.floor(seconds / 60) % 60)}:${TWO(seconds % 60)}`;
    if (proposes) propose();
  }

  function settle() {
    shown.hidden = !since;
    start.hidden = proposes;
    mark.hidden = !proposes;
    if (since) show();
  }

  /** The call begins: from now on the clock proposes the length, until somebody chooses one. */
  function begin() {
    since ||= now();
    proposes = true;
    settle();
  }

  /** The server says since when the draft is open; a clock that runs longer keeps its own time. */
  function opened(at) {
    since = Math.min(since || Infinity, Date.parse(at));
    settle();
  }

  function renew() {
    since = 0;
    proposes = false;
    settle();
  }

  for (const field of lengths) {
    field.addEventListener("change", () => {
      if (!proposes) return;
      proposes = false;
      settle();
      chosen();
    });
  }
  setInterval(() => since && show(), 1000);
  settle();
  return { begin, opened, renew, now, proposes: () => proposes, start };
}
