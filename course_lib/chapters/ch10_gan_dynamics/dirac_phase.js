// The Dirac-GAN: its field, the path of a number of steps, the multipliers of one step near the equilibrium.

const sigmoid = x => x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

const SLOPES = { minimax: 0.5, nonsaturating: 0.5, wasserstein: 1 };  // of the field at the equilibrium

// Minus the derivative of each player's own loss by its own number, equation (10.1); R1 is ψ² here.
function field([theta, psi], gamma, loss) {
  if (loss === "wasserstein") return [psi, -theta - gamma * psi];
  const belief = sigmoid(psi * theta), pull = loss === "minimax" ? belief : sigmoid(-psi * theta);
  return [psi * pull, -theta * belief - gamma * psi];
}

function walk({ theta, psi, gamma, rate_g, rate_d, method, loss, steps }) {
  const path = [[theta, psi]];
  let before = field(path[0], gamma, loss);
  for (let n = 0; n < steps; n++) {
    const [t, p] = path[n], now = field([t, p], gamma, loss);
    let [g, d] = now;
    if (method === "optimistic") [g, d] = [2 * now[0] - before[0], 2 * now[1] - before[1]];
    const next = p + rate_d * d;
    if (method === "alternating") [g] = field([t, next], gamma, loss);
    path.push([t + rate_g * g, next]);
    before = now;
  }
  return path;
}

function runningMean(path) {
  let [t, p] = [0, 0];
  return path.map((pair, n) => { t += pair[0]; p += pair[1]; return [t / (n + 1), p / (n + 1)]; });
}

// Complex numbers are pairs here.
function root([a, b]) {
  const size = Math.hypot(a, b), real = Math.sqrt((size + Math.abs(a)) / 2), other = real ? b / (2 * real) : 0;
  return a >= 0 ? [real, other] : [Math.abs(other), b < 0 ? -real : real];
}

// The two solutions of z² − sum·z + product = 0.
function quadratic(sum, product) {
  const [r, i] = root([sum[0] ** 2 - sum[1] ** 2 - 4 * product[0], 2 * sum[0] * sum[1] - 4 * product[1]]);
  return [[(sum[0] + r) / 2, (sum[1] + i) / 2], [(sum[0] - r) / 2, (sum[1] - i) / 2]];
}

// Eigenvalues of one step. The moves near the end are the matrix [[0, gs], [−ds, −dγ]].
function multipliers({ gamma, rate_g, rate_d, method, loss }) {
  const s = SLOPES[loss], trace = -rate_d * gamma, turn = rate_g * rate_d * s * s;
  if (method === "simultaneous") return quadratic([2 + trace, 0], [1 + trace + turn, 0]);
  if (method === "alternating") return quadratic([2 + trace - turn, 0], [1 + trace, 0]);
  // twice the move less the one before: μ² − (1 + 2λ)μ + λ = 0 for each eigenvalue λ of the moves
  return quadratic([trace, 0], [turn, 0]).flatMap(([a, b]) => quadratic([1 + 2 * a, 2 * b], [a, b]));
}

const EDGE = 1e6;  // farther out is drawn as this far
const clamp = (x, edge) => Math.min(edge, Math.max(-edge, x));
const ranked = x => Math.round(x * 1e6);

// data: plane, the half side of the portrait, and arrows, how many a side.
export function compute(data, state) {
  const path = walk(state), found = multipliers(state).sort((a, b) => ranked(a[0]) - ranked(b[0]) || a[1] - b[1]);
  const inside = path.map(pair => pair.map(x => clamp(x, EDGE)));
  const ticks = Array.from({ length: data.arrows }, (_, i) => data.plane * (2 * i / (data.arrows - 1) - 1));
  return {
    path: inside,
    mean: runningMean(inside),
    distance: inside.map(([t, p]) => Math.hypot(t, p)),
    multipliers: found,
    largest: Math.max(...found.map(([a, b]) => Math.hypot(a, b))),
    field: ticks.map(p => ticks.map(t => field([t, p], state.gamma, state.loss))),  // a row for each ψ
  };
}

function controls() {
  const two = x => live.fixed(x);
  const place = (name, label) => ({ kind: "range", name, label, min: -2.5, max: 2.5, step: 0.1, show: two });
  const rate = (name, label) => ({ kind: "range", name, label, min: 0.01, max: 2, step: 0.01, show: two });
  return [
    [place("theta", "start θ"), place("psi", "start ψ")],
    [rate("rate_g", "rate of G"), rate("rate_d", "rate of D")],
    [{ kind: "range", name: "gamma", label: "penalty γ", min: 0, max: 4, step: 0.05, show: two },
     { kind: "range", name: "steps", label: "steps", min: 1, max: 200, step: 1, show: String }],
    [{ kind: "choice", name: "method", label: "both step", options: [["simultaneous", "at once (simultaneous)"],
       ["alternating", "in turn (alternating)"], ["optimistic", "at once, optimistic"]] },
     { kind: "choice", name: "loss", label: "loss", options: Object.keys(SLOPES) }],
  ];
}

function portrait(data, { path, mean, field: pulls }, { method, loss }) {
  const edge = data.plane, step = 2 * edge / (data.arrows - 1), last = path[path.length - 1];
  const arrows = pulls.flatMap((row, i) => row.map(([t, p], j) => {
    const long = 11 / Math.sqrt(Math.max(Math.hypot(t, p), 1e-9));  // long ones are shortened: the direction counts
    return [j * step - edge, i * step - edge, t * long, p * long];
  }));
  return live.panel({ name: "plane", title: [`${method}, ${loss}:`, "● start, ▲ end, – – mean"], x: [-edge, edge],
    y: [-edge, edge], xlabel: "generator θ", ylabel: "discriminator ψ", height: 350 })
    .arrows(arrows, { colour: "#A8A8A8" })
    .line(path, { width: 0.9 }).dots(path, { size: 1.6 })
    .line(mean, { colour: live.TEAL, width: 2, dash: "5 4" })
    .dots([[0, 0]], { colour: live.BERRY, shape: "plus", size: 8 })
    .dots([path[0]], { size: 5 })
    .dots([last.map(x => clamp(x, edge))], { colour: live.ORANGE, shape: "triangle", size: 6, edge: "#FFFFFF" });
}

const drawable = x => Math.min(1e9, Math.max(1e-9, x));

function distances({ distance, largest }) {
  const last = distance.length - 1, predicted = n => drawable(distance[0] * largest ** n);
  return live.panel({ title: [`${live.say(distance[0])} from (0, 0) at first,`, `${live.say(distance[last])} at the end`],
    x: [0, 200], y: [1e-4, 30], log: true, xlabel: "step", ylabel: "distance", height: 350 })
    .line(distance.map((d, n) => [n, drawable(d)]))
    .line(distance.map((_, n) => [n, predicted(n)]), { colour: live.MUTE, width: 1.6, dash: "6 4" })
    .text(6, 12, "— distance,  – – start · |μ|ⁿ", { size: 11.5 });
}

const AT_ONE = 2e-7;  // a double multiplier is off by 2e-8; on the sliders' grid the others are 1.1e-6 and more from 1
const isAtOne = largest => Math.abs(largest - 1) <= AT_ONE;

// At 1 what is of higher order decides, or how often the multiplier occurs.
const verdict = largest => isAtOne(largest) ? "that alone does not decide"
  : largest < 1 ? "the pair comes nearer" : "the pair moves away";

// Four decimals, or as many as tell it from 1.
const size = largest => isAtOne(largest) ? "1"
  : live.fixed(largest, Math.max(4, 1 - Math.floor(Math.log10(Math.abs(largest - 1)))));

function circle({ multipliers: found, largest }) {
  const round = Array.from({ length: 101 }, (_, i) => [Math.cos(2 * Math.PI * i / 100), Math.sin(2 * Math.PI * i / 100)]);
  return live.panel({ title: [`near (0, 0) |μ| = ${size(largest)}:`, verdict(largest)],
    x: [-1.5, 1.5], y: [-1.5, 1.5], xlabel: "real part of μ", ylabel: "imaginary part of μ", height: 350 })
    .line(round, { colour: live.MUTE, width: 1.4, dash: "5 4" })
    .text(0, 0, "|μ| = 1: the circle", { anchor: "middle", colour: live.MUTE, size: 11.5 })
    .dots(found, { colour: live.BERRY, shape: "square", size: 5 });
}

function draw(found, state, data) {
  const { distance, mean, largest } = found, last = distance.length - 1;
  const near = isAtOne(largest) ? `Near (0, 0) |μ| = 1: ${verdict(largest)}.`
    : `Near (0, 0) the distance is multiplied, in the long run, by |μ| = ${size(largest)} a step: ${verdict(largest)}.`;
  const between = isAtOne(largest) ? `, on the way between ${live.say(Math.min(...distance))} and ${live.say(Math.max(...distance))}` : "";
  const says = `${near} Here it starts ${live.say(distance[0])} away and is ${live.say(distance[last])} away after ` +
    `${last} steps${between}; the mean of all places is ${live.say(Math.hypot(...mean[last]))} away.`;
  const label = `Left, the field and the path of ${state.method} steps, ${state.loss} loss, penalty ` +
    `${live.fixed(state.gamma)}; middle, its distance from the equilibrium; right, the multipliers. ${says}`;
  return { panels: [portrait(data, found, state), distances(found), circle(found)], label, says };
}

export default live.explorer({
  name: "Phase portrait of the Dirac-GAN",
  predict: {
    question: "the loss is minimax, both players step at once, and the pair moves away. Which one change brings it home?",
    options: ["smaller rates", "taking turns", "a penalty γ"],
    answer: 2,
    then: "Now try all three.",
    reached: ({ largest }, { gamma }) => gamma > 0 && largest < 1 - AT_ONE,
    because: "Smaller rates only slow the flight. Turns put |μ| at 1, which alone does not decide: with minimax and small " +
      "rates the pair then goes round near the end and comes no nearer. The penalty takes |μ| under 1.",
  },
  controls, compute, draw,
  point: (panel, theta, psi) => panel !== "plane" ? null : {  // the start, by hand
    theta: clamp(Math.round(theta * 10) / 10, 2.5), psi: clamp(Math.round(psi * 10) / 10, 2.5) },
});
