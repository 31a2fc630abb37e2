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

// data: targets {name: [[share, mean, std], …]}, best {name: {forward, reverse: each a list of [mean, std, nats]}}, wide and
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
  const to = direction => ({ target }) => {
    const [[m, s]] = [...data.best[target][direction]].sort((a, b) => a[2] - b[2]);
    return { direction, mean: m, std: s };
  };
  return [
    [{ kind: "choice", name: "target", label: "p has", options: Object.keys(data.targets) },
     { kind: "choice", name: "direction", label: "shaded", options: [["forward", FORWARD], ["reverse", REVERSE]] }],
    [{ kind: "range", name: "mean", label: "mean of q", min: -4, max: 4, step: 0.05, show: x => live.fixed(x) },
     { kind: "range", name: "std", label: "width of q", min: 0.3, max: 4, step: 0.05, show: x => live.fixed(x) }],
    [{ kind: "button", label: `best for ${FORWARD}`, act: to("forward") },
     { kind: "button", label: `best for ${REVERSE}`, act: to("reverse") }],
  ];
}

const NAMES = { forward: FORWARD, reverse: REVERSE };

function bells(data, { direction }, { p, q, integrand, [direction]: value }) {
  const xs = grid(data.drawn), along = ys => xs.map((x, i) => [x, ys[i]]);
  const formula = direction === "forward" ? "p ln(p/q)" : "q ln(q/p)";
  const title = [`${NAMES[direction]} = ${live.say(value)} nats: the shaded area`];
  return live.panel({ title, x: [xs[0], xs[xs.length - 1]], y: [-0.5, 1.5], xlabel: "x", ylabel: "density" })
    .area(along(integrand), 0, { colour: live.BERRY })
    .line(along(integrand), { colour: live.BERRY, width: 1, dash: "2 3" })
    .line([[xs[0], 0], [xs[xs.length - 1], 0]], { colour: live.INK, width: 0.8 })
    .line(along(p), { colour: live.BLUE, width: 2.2 })
    .line(along(q), { colour: live.ORANGE, width: 2.2, dash: "7 4" })
    .text(-5.7, 1.38, "— p, data", { colour: live.BLUE }).text(-5.7, 1.26, "– – q, model", { colour: live.ORANGE })
    .text(-5.7, 1.14, `··· ${formula}`, { colour: live.BERRY });
}

const SHADES = ["#FFFFFF", "#F3DCEE", "#E9B9DC", "#D080BB", "#B8489A", "#8D066D", "#4A0339"];
const LEVELS = [0.2, 0.5, 1, 2, 4, 8];  // nats
const FINER = 5;

// The map's values between its places, and each row as runs of one shade: few rectangles, smooth bands.
function bands(made, { mean, std }, map) {
  const between = (list, i) => {
    const low = Math.min(Math.floor(i / FINER), list.length - 2), part = i / FINER - low;
    return [low, part, list[low] * (1 - part) + list[low + 1] * part];
  };
  const count = list => (list.length - 1) * FINER;
  const shade = (i, j) => {
    const [[r, down], [c, right]] = [between(std, i), between(mean, j)];
    const [a, b] = [map[r], map[r + 1]].map(row => row[c] * (1 - right) + row[c + 1] * right);
    return LEVELS.filter(step => a * (1 - down) + b * down > step).length;
  };
  const pieces = [];
  for (let i = 0; i < count(std); i++) {
    const top = made.onY(between(std, i + 1)[2]), high = made.onY(between(std, i)[2]) - top + 0.4;
    for (let j = 0, from = 0; j < count(mean); j++) {
      if (j + 1 < count(mean) && shade(i, j + 1) === shade(i, from)) continue;
      const [x, end] = [made.onX(between(mean, from)[2]), made.onX(between(mean, j + 1)[2])];
      pieces.push(live.tag("rect", { x, y: top, width: end - x + 0.4, height: high, fill: SHADES[shade(i, from)] }));
      from = j + 1;
    }
  }
  return pieces.join("");
}

function landscape(data, { direction, mean, std, target }, { map }) {
  const { mean: means, std: stds } = data.map, top = stds[stds.length - 1];
  const x = [means[0], means[means.length - 1]], y = [stds[0], top * 1.14];  // room for what the shades mean
  const title = [`${NAMES[direction]}: + bottom of a valley, ▲ q`];
  const made = live.panel({ name: "map", title, x, y, xlabel: "mean of q", ylabel: "width of q" });
  made.put(keep(JSON.stringify([data.targets[target], data.map, direction, "bands"]), () => bands(made, data.map, map)));
  SHADES.forEach((fill, i) => made.put(live.tag("rect", { x: 10 + 30 * i, y: 2, width: 30, height: 13, fill, stroke: live.MUTE })));
  LEVELS.forEach((level, i) => made.text(x[0], y[1], String(level), { anchor: "middle", size: 11, dx: 40 + 30 * i, dy: 26 }));
  made.text(x[0], y[1], "nats", { size: 11, dx: 226, dy: 13 });
  made.dots(data.best[target][direction], { shape: "plus", size: 7, colour: live.INK });
  return made.dots([[mean, std]], { shape: "triangle", size: 6, colour: live.ORANGE, edge: "#FFFFFF" });
}

function draw(found, state, data) {
  const sentence = direction => {
    const value = found[direction], over = value - Math.min(...data.best[state.target][direction].map(best => best[2]));
    const beyond = over < 1e-5 ? "as little as any bell can have" : `${live.say(over)} more than the best bell`;
    return `${NAMES[direction]} = ${live.say(value)} nats, ${beyond}`;
  };
  const exact = found.closed_forward === null ? "" :
    ` For ${FORWARD} the formula gives ${live.say(found.closed_forward, 6)}, the sum over the grid ${live.say(found.forward, 6)}.`;
  const says = `${sentence("forward")}; ${sentence("reverse")}. Jensen–Shannon ${live.say(found.js)}.${exact}`;
  const label = `Left, the densities: p has ${state.target}; q is one bell with mean ${live.fixed(state.mean)} and width ` +
    `${live.fixed(state.std)}; shaded, what ${NAMES[state.direction]} sums. Right, a map of it over mean and width. ${says}`;
  return { panels: [bells(data, state, found), landscape(data, state, found)], label, says };
}

export default live.explorer({
  name: "Two directions of KL",
  predict: {
    question: "p has two bells. Where does the q go that makes KL(q‖p) least: over both, or onto one?",
    options: ["over both", "onto one"],
    answer: 1,
    then: "Now try: press both buttons, or move q, until KL(q‖p) is under 0.6.",
    reached: ({ reverse }, { target }) => target === "two bells" && reverse < 0.6,
    because: "On one bell q finds p nearly 0.6 times itself, so KL(q‖p) is about −ln 0.6 = 0.51; KL(p‖q) is large there.",
  },
  controls, compute, draw,
  point: (panel, mean, std, state, data) => panel !== "map" ? null : {
    mean: Math.min(4, Math.max(-4, mean)), std: Math.min(4, Math.max(0.3, std)) },
});
