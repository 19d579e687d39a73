// A worker that keeps time: pages in the background have their timers slowed
// to one per second, workers do not. Send it a rate; it answers with ticks.

let timer = 0;

onmessage = ({ data: perSecond }) => {
  clearTimeout(timer);
  if (!perSecond) return;
  const step = 1000 / perSecond;
  let next = performance.now() + step;
  const tick = () => {
    postMessage(0);
    // Aim at fixed instants, so that late ticks do not add up.
    next = Math.max(next + step, performance.now());
    timer = setTimeout(tick, next - performance.now());
  };
  timer = setTimeout(tick, step);
};
