// The bound of a VAE whose posterior is known: p(z) = N(0, 1), p(x|z) = N(z, noise²), q(z) = N(mean, width²).

const logBell = (x, mean, variance) => -0.5 * (Math.log(2 * Math.PI * variance) + (x - mean) ** 2 / variance);

// KL of two bells, in nats.
const kl = (mean, width, toMean, toWidth) =>
  Math.log(toWidth / width) + (width ** 2 + (mean - toMean) ** 2) / (2 * toWidth ** 2) - 0.5;

function posteriorOf({ x, noise }) {
  const precision = 1 + noise ** -2;
  return [x * noise ** -2 / precision, precision ** -0.5];
}

export function compute(data, state) {
  const { mean, width, x, noise } = state;
  const posterior = posteriorOf(state);
  const recon = logBell(x, mean, noise ** 2) - width ** 2 / (2 * noise ** 2);  // E_q[(x − z)²] is (x − mean)² + width²
  const toPrior = kl(mean, width, 0, 1);
  return { log_p: logBell(x, 0, 1 + noise ** 2), recon, kl: toPrior, elbo: recon - toPrior,
    gap: kl(mean, width, ...posterior), posterior };
}

// data: from where to where mean (and x), width and noise may go.
function controls(data) {
  const number = (name, label, [min, max], step) =>
    ({ kind: "range", name, label, min, max, step, show: x => live.fixed(x) });
  return [
    [number("mean", "mean of q", data.mean, 0.01), number("width", "width of q", data.width, 0.01)],
    [number("x", "x, which is seen", data.mean, 0.1), number("noise", "noise", data.noise, 0.1)],
    [{ kind: "button", label: "q = prior", act: () => ({ mean: 0, width: 1 }) },
     { kind: "button", label: "best reconstruction", act: ({ x }) => ({ mean: x, width: data.width[0] }) },
     { kind: "button", label: "q = posterior", act: state => {
       const [mean, width] = posteriorOf(state);
       return { mean, width };
     } }],
  ];
}

// ---- the picture -------------------------------------------------------------------------------------------------

const along = (from, to, n = 201) => Array.from({ length: n }, (_, i) => from + (to - from) * i / (n - 1));

function bells({ posterior }, { mean, width }) {
  const zs = along(-4, 4);
  const curve = (m, s) => zs.map(z => [z, Math.exp(logBell(z, m, s ** 2))]);
  return live.panel({ title: ["What is believed of z"], x: [-4, 4], y: [0, 1.6], xlabel: "latent z", ylabel: "density" })
    .line(curve(mean, width), { colour: live.TEAL, width: 2.4 })
    .line(curve(0, 1), { colour: live.MUTE, dash: "7 4" })
    .line(curve(...posterior), { colour: live.INK, width: 2, dash: "2 3" })
    .text(-3.8, 1.47, "– – prior", { colour: live.MUTE })
    .text(-3.8, 1.36, "··· posterior", { colour: live.INK }).text(-3.8, 1.25, "— q", { colour: live.TEAL });
}

const EXACT = 1e-12;  // a gap under it is rounding

const missing = gap => gap < EXACT ? "0" : gap < 0.1 ? live.say(gap, 2) : live.fixed(gap);

const LEVELS = [0.05, 0.2, 0.5, 1, 2, 4];  // nats

// Where the gap is so many nats: of each width the two means, (mean − m)² = 2s²(level + ½ − ln(s/width)) − width².
function level(gap, [m, s]) {
  const sides = along(0.01, 3, 1001).map(width => [width, 2 * s ** 2 * (gap + 0.5 - Math.log(s / width)) - width ** 2])
    .filter(([, square]) => square >= 0).map(([width, square]) => [width, Math.sqrt(square)]);
  const left = sides.map(([width, away]) => [m - away, width]), right = sides.map(([width, away]) => [m + away, width]);
  return [...left, ...right.reverse(), ...left.slice(0, 1)];
}

function map({ posterior }, { mean, width }, data) {
  const made = live.panel({ name: "map", title: ["The gap of every q, in nats"], x: data.mean, y: data.width,
    xlabel: "mean of q", ylabel: "width of q" });
  for (const gap of LEVELS) {
    const ring = level(gap, posterior);
    made.line(ring, { colour: live.BERRY, width: 1 });
    const inside = ring.filter(([m, w]) => m > data.mean[0] + 0.1 && m < data.mean[1] - 0.35 && w < data.width[1] - 0.1);
    if (inside.length) {
      const [m, w] = inside.reduce((top, each) => each[1] > top[1] ? each : top);
      made.text(m, w, String(gap), { colour: live.BERRY, size: 11, dx: 2, dy: -2 });
    }
  }
  return made.dots([posterior], { shape: "plus", size: 7, colour: live.INK })
    .text(...posterior, "posterior", { size: 11, dy: 18, anchor: "middle" })
    .dots([[mean, width]], { size: 6, colour: live.TEAL, edge: "#FFFFFF" });
}

// From 0 down by the reconstruction, further down by the KL to the prior, and up by the gap.
function ladder({ recon, kl: toPrior, elbo, gap, log_p: logP }) {
  const low = -8, made = live.panel({ title: [`${missing(gap)} nats are missing`], x: [low, 0], y: [0, 3],
    xlabel: "nats", ylabel: "", ticked: false });
  const words = (x, y, says, fill, anchor = "start") => made.put(live.tag("text", { x: made.onX(x), y: made.onY(y), fill,
    "text-anchor": anchor, "font-size": 12, "paint-order": "stroke", stroke: "#FFFFFF", "stroke-width": 4 }, live.escape(says)));
  const bars = [
    [2.1, recon, 0, live.ORANGE, `reconstruction ${live.fixed(recon)}`],
    [1.25, elbo, recon, live.MUTE, `minus KL(q ‖ prior), ${live.fixed(toPrior)}`],
    [0.4, elbo, logP, live.BERRY, `KL(q ‖ posterior) ${missing(gap)}`],
  ];
  for (const [y, start, end, colour] of bars) {
    const [x, top] = [made.onX(Math.max(low - 1, start)), made.onY(y + 0.48)];
    made.put(live.tag("rect", { x, y: top, width: Math.max(0, made.onX(end) - x), height: made.onY(y) - top,
      fill: live.FILL[colour], stroke: colour, "stroke-width": 1.8 }));
  }
  made.line([[elbo, 0], [elbo, 1.73]], { width: 1 }).line([[logP, 0], [logP, 0.88]], { width: 1 });
  for (const [y, start, , colour, says] of bars) {
    words(low + 0.1, y + 0.58, says + (start < low ? " (goes on to the left)" : ""), live.TEXT[colour] ?? colour);
  }
  words(Math.max(elbo, low + 0.1), 0.1, `ELBO ${live.fixed(elbo)}`, live.INK, elbo < low + 2.2 ? "start" : "end");
  if (gap > 0.001) words(logP, 0.24, `ln p(x) ${live.fixed(logP)}`, live.INK, logP > -2.6 ? "end" : "start");
  for (const nats of live.ticks([low, 0], 4)) made.text(nats, 0, live.say(nats), { anchor: "middle", dy: 16, size: 11 });
  return made;
}

function draw(found, state, data) {
  const { recon, kl: toPrior, elbo, gap, log_p: logP } = found, two = live.fixed;
  const says = `ELBO = ${two(recon)} − ${two(toPrior)} = ${two(elbo)} nats, which is ${missing(gap)} below ln p(x) = ${two(logP)}.` +
    (gap < EXACT ? " q is the posterior: nothing is missing." : gap < 0.001 ? " Next to nothing is missing." : "");
  const label = `Prior, posterior and q with mean ${two(state.mean)} and width ${two(state.width)}; the gap of every q; ` +
    `the lengths of the two terms. ${says}`;
  return { panels: [bells(found, state), map(found, state, data), ladder(found)], label, says };
}

const clip = (x, [low, high]) => Math.min(high, Math.max(low, x));

export default live.explorer({
  name: "A bound whose posterior is known",
  predict: {
    question: "Which q makes the ELBO, reconstruction minus KL to the prior, largest?",
    options: ["the one with the best reconstruction", "the one that is the prior, with KL 0", "another, best at neither"],
    answer: 2,
    then: "Now move q, or drag it on the map, until less than 0.01 nats are missing.",
    reached: ({ gap }) => gap < 0.01,
    because: "What is missing is KL(q ‖ posterior), which is 0 for the posterior alone; it lies between x and the prior.",
  },
  controls, compute, draw,
  point: (panel, mean, width, state, data) =>
    panel !== "map" ? null : { mean: clip(mean, data.mean), width: clip(width, data.width) },
});
