// Owns the bar of an import that is on its way: asks each second how far it is, and shows the page anew when it ends.

const EVERY = 1000; // milliseconds
const place = document.getElementById("progress");
const [bar, percent, said] = ["progress", "[data-percent]", "[data-said]"].map((part) => place.querySelector(part));

function show(now) {
  if (now.percent === null) bar.removeAttribute("value");
  else bar.value = now.percent;
  percent.textContent = now.percent === null ? "" : `${now.percent} %`;
  if (said.textContent !== now.said) said.textContent = now.said; // said aloud, so only when it is new
}

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "application/json" }, cache: "no-store" });
    // Also when somebody must log in or prove anew who they are: the page leads there and back.
    const now = answer.ok ? await answer.json() : { state: "" };
    if (now.state !== place.dataset.state) return location.reload();
    show(now);
  } catch {
    // The network is away for a moment: the import goes on without it.
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
