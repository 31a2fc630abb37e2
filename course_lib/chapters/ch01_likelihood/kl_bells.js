// One bell q against p, of one bell or of two: KL in both directions, Jensen–Shannon, and the map of a KL over all q.

const FORWARD = "KL(p‖q)", REVERSE = "KL(q‖p)";

const logBell = (x, mean, std) => -0.5 * ((x - mean) / std) ** 2 - Math.log(std) - 0.5 * Math.log(2 * Math.PI);

// ln p: a logarithm of a sum that keeps its digits far outside, where p itself is 0 in floating point.
function logMixture(x, humps) {
  const logs = humps.map(([share, mean, std]) => Math.log(share) + logBell(x, mean, std));
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, each) => sum + Math.exp(each - most), 0));
}

const grid = ([low, high, n]) => Array.from({ length: n }, (_, i) => low + (high - low) * i / (n - 1));

const kept = new Map();  // what hangs on p alone

function keep(key, make) {
  if (!kept.has(key)) kept.set(key, make());
  return kept.get(key);
}

// Both KL and JS in nats, sums over a grid that is so wide that nothing is left at its ends.
function divergences(xs, logP, mean, std) {
  const dx = xs[1] - xs[0];
  let forward = 0, reverse = 0, js = 0;
  for (let i = 0; i < xs.length; i++) {
    const lp = logP[i], lq = logBell(xs[i], mean, std), p = Math.exp(lp), q = Math.exp(lq);
    const top = Math.max(lp, lq), lm = top + Math.log(0.5 * (Math.exp(lp - top) + Math.exp(lq - top)));
    forward += p * (lp - lq);
    reverse += q * (lq - lp);
    js += 0.5 * (p * (lp - lm) + q * (lq - lm));
  }
  return { forward: forward * dx, reverse: reverse * dx, js: js * dx };
}

// Equation (1.6).
const closedForm = (meanP, stdP, meanQ, stdQ) =>
  Math.log(stdQ / stdP) + (stdP ** 2 + (meanP - meanQ) ** 2) / (2 * stdQ ** 2) - 0.5;

// data: targets {name: [[share, mean, std], …]}, best {name: {forward, reverse: each a list of [mean, std]}}, wide and
// drawn [low, high, n], map {mean: […], std: […], grid: [low, high, n]}.
export function compute(data, { target, direction, mean, std }) {
  const humps = data.targets[target], wide = grid(data.wide), xs = grid(data.drawn);
  const logP = keep(JSON.stringify([humps, data.wide]), () => wide.map(x => logMixture(x, humps)));
  const p = xs.map(x => Math.exp(logMixture(x, humps))), q = xs.map(x => Math.exp(logBell(x, mean, std)));
  const ratio = xs.map(x => logMixture(x, humps) - logBell(x, mean, std));
  const found = divergences(wide, logP, mean, std);
  const map = keep(JSON.stringify([humps, data.map, direction]), () => {
    const coarse = grid(data.map.grid), log = coarse.map(x => logMixture(x, humps));
    return data.map.std.map(s => data.map.mean.map(m => divergences(coarse, log, m, s)[direction]));
  });
  const alone = humps.length === 1 ? [humps[0][1], humps[0][2]] : null;
  return {
    ...found, p, q, map,
    integrand: direction === "forward" ? p.map((each, i) => each * ratio[i]) : q.map((each, i) => -each * ratio[i]),
    closed_forward: alone && closedForm(...alone, mean, std),
    closed_reverse: alone && closedForm(mean, std, ...alone),
  };
}

function controls(data) {
  const to = direction => ({ target, mean }) => {
    const [[m, s]] = [...data.best[target][direction]].sort((a, b) => Math.abs(a[0] - mean) - Math.abs(b[0] - mean));
    return { direction, mean: m, std: s };
  };
  return [
    [{ kind: "choice", name: "target", label: "p has", options: Object.keys(data.targets) },
     { kind: "choice", name: "direction", label: "shaded", options: [["forward", FORWARD], ["reverse", REVERSE]] }],
    [{ kind: "range", name: "mean", label: "mean of q", min: -4, max: 4, step: 0.05, show: x => live.fixed(x) },
     { kind: "range", name: "std", label: "width of q", min: 0.3, max: 4, step: 0.05, show: x => live.fixed(x) }],
    [{ kind: "button", label: `best for ${FORWARD}`, act: to("forward") },
     { kind: "button", label: `best for ${REVERSE}, the nearer one`, act: to("reverse") }],
  ];
}

function bells(data, { direction }, { p, q, integrand }) {
  const xs = grid(data.drawn), along = ys => xs.map((x, i) => [x, ys[i]]);
  const title = [direction === "forward" ? "Shaded, p ln(p/q): where the data is" : "Shaded, q ln(q/p): where q is"];
  return live.panel({ title, x: [xs[0], xs[xs.length - 1]], y: [-0.5, 1.5], xlabel: "x", ylabel: "density" })
    .area(along(integrand), 0, { colour: live.BERRY })
    .line(along(integrand), { colour: live.BERRY, width: 1, dash: "2 3" })
    .line([[xs[0], 0], [xs[xs.length - 1], 0]], { colour: live.INK, width: 0.8 })
    .line(along(p), { colour: live.BLUE, width: 2.2 })
    .line(along(q), { colour: live.ORANGE, width: 2.2, dash: "7 4" })
    .text(-5.7, 1.38, "— p, data", { colour: live.BLUE }).text(-5.7, 1.26, "– – q, model", { colour: live.ORANGE });
}

const SHADES = ["#FFFFFF", "#F3DCEE", "#E9B9DC", "#D080BB", "#B8489A", "#8D066D", "#4A0339"];
const STEPS = [0.2, 0.5, 1, 2, 4, 8];  // nats

function landscape(data, { direction, mean, std, target }, { map }) {
  const name = direction === "forward" ? FORWARD : REVERSE, { mean: means, std: stds } = data.map;
  const [dm, ds] = [(means[1] - means[0]) / 2, (stds[1] - stds[0]) / 2];
  const limits = list => [list[0], list[list.length - 1]];
  const made = live.panel({ name: "map", title: [`${name} of every bell q, in nats`], x: limits(means), y: limits(stds),
    xlabel: "mean of q", ylabel: "width of q" });
  made.put(map.map((row, i) => row.map((value, j) => {
    const [x, y] = [made.onX(means[j] - dm), made.onY(stds[i] + ds)];
    const [right, low] = [made.onX(means[j] + dm), made.onY(stds[i] - ds)];
    const fill = SHADES[STEPS.filter(step => value > step).length];
    return live.tag("rect", { x, y, width: right - x + 0.3, height: low - y + 0.3, fill });
  }).join("")).join(""));
  made.dots(data.best[target][direction], { shape: "plus", size: 7, colour: live.INK });
  return made.dots([[mean, std]], { shape: "triangle", size: 6, colour: live.ORANGE, edge: "#FFFFFF" });
}

function draw(found, state, data) {
  const { forward, reverse, js, closed_forward: exact } = found;
  const nats = x => `${live.say(x)} nats`;
  const closed = exact === null ? "" : ` The formula (1.6) gives ${nats(exact)} for the first.`;
  const says = `${FORWARD} = ${nats(forward)}, ${REVERSE} = ${nats(reverse)}, Jensen–Shannon ${nats(js)} ` +
    `of at most 0.693.${closed}`;
  const label = `Densities: p has ${state.target}, q is one bell with mean ${live.fixed(state.mean)} and width ` +
    `${live.fixed(state.std)}; a map of ${state.direction === "forward" ? FORWARD : REVERSE} over mean and width. ${says}`;
  return { panels: [bells(data, state, found), landscape(data, state, found)], label, says };
}

export default live.explorer({
  name: "Two directions of KL",
  predict: {
    question: "p has two bells. Where does the q go that makes KL(q‖p) least: over both, or onto one?",
    options: ["over both", "onto one"],
    answer: 1,
    then: "Now press both buttons, or move q until KL(q‖p) is under 0.6.",
    reached: ({ reverse }, { target }) => target === "two bells" && reverse < 0.6,
    because: "On one bell q finds p nearly 0.6 times itself, so KL(q‖p) is about −ln 0.6 = 0.51; KL(p‖q) is large there.",
  },
  controls, compute, draw,
  point: (panel, mean, std, state, data) => panel !== "map" ? null : {
    mean: Math.min(4, Math.max(-4, mean)), std: Math.min(4, Math.max(0.3, std)) },
});
