// Owns the wait between two tries: 1, 2, 4 … 30 seconds with jitter, counted down, cut short by hand or by the network.

const LONGEST = 30;

export function patience(again, show) {
  let tries = 0;
  let ticking = 0;

  function stop() {
    clearInterval(ticking);
    ticking = 0;
  }

  function now() {
    if (!ticking) return;
    stop();
    again();
  }

  function begin() {
    stop();
    let left = Math.max(1, Math.round(Math.min(LONGEST, 2 ** tries) * (0.75 + Math.random() / 2)));
    tries += 1;
    show(left, true);
    ticking = setInterval(() => {
      left -= 1;
      if (left > 0) show(left, false);
      else now();
    }, 1000);
  }

  addEventListener("online", now);
  return { begin, now, stop: () => { stop(); tries = 0; } };
}
