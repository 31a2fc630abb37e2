// The next character of a language model: temperature, top-k, top-p, the entropy, and one character drawn by a seed.

const SHOWN = 10, SEEDS = 21;  // characters with bars; the seeds 0 … 20

const sum = list => list.reduce((total, each) => total + each, 0);

function softmax(logits) {
  const most = Math.max(...logits), shares = logits.map(logit => Math.exp(logit - most)), total = sum(shares);
  return shares.map(share => share / total);
}

// The places of the numbers, the largest first, of equal ones the first.
const ranked = numbers => numbers.map((_, i) => i).sort((a, b) => numbers[b] - numbers[a] || a - b);

const keep = (logits, places) => logits.map((logit, i) => places.has(i) ? logit : -Infinity);

const topK = (logits, k) => keep(logits, new Set(ranked(logits).slice(0, k)));

// The nucleus: the fewest characters whose probabilities reach p together, the most probable first.
function topP(logits, p) {
  if (p >= 1) return logits;
  const order = ranked(logits), shares = softmax(order.map(i => logits[i]));
  let reached = 0;
  const inside = order.filter((_, rank) => {
    reached += shares[rank];
    return rank === 0 || reached - shares[rank] < p;
  });
  return keep(logits, new Set(inside));
}

function nextDistribution(logits, temperature, k, p) {
  const scaled = temperature === 0 ? topK(logits, 1) : logits.map(logit => logit / temperature);
  return softmax(topP(topK(scaled, k), p));
}

const bits = shares => -sum(shares.map(p => p > 0 ? p * Math.log2(p) : 0));

// The first number between 0 and 1 of mulberry32 (Ettinger 2017), at an odd multiple of 2⁻³³.
function uniform(seed) {
  const word = (seed + 0x6D2B79F5) | 0;
  let t = Math.imul(word ^ (word >>> 15), word | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
}

// data: vocabulary; prompts {prompt: logits}; written {state, text}; refused {prompt: what the kernel said}; kernel.
export function compute(data, { prompt, temperature, top_k: k, top_p: p }) {
  if (!Object.hasOwn(data.prompts, prompt)) throw new Error(why(data, prompt));
  const logits = data.prompts[prompt];
  const before = softmax(logits), after = nextDistribution(logits, temperature, k, p);
  let total = 0;
  const shares = after.map(share => (total += share));
  const at = Array.from({ length: SEEDS }, (_, seed) => uniform(seed));
  return {
    before, after, shares, at,
    bits: [Math.abs(bits(before)), Math.abs(bits(after))],
    left: after.filter(share => share > 0).length,
    order: ranked(before).slice(0, SHOWN),
    draws: at.map(each => shares.findIndex(end => end > each * total)),
  };
}

function why(data, prompt) {
  if (Object.hasOwn(data.refused, prompt)) return data.refused[prompt];
  if (data.kernel) return `Asking the model for what follows ‘${prompt}’ …`;
  return "This page has the odds after the prompts of the list alone; in the notebook the model reads any.";
}

function controls(data) {
  const n = data.vocabulary.length, number = { kind: "range", show: x => live.fixed(x) };
  return [
    [{ kind: "text", name: "prompt", label: "your prompt (\\n: next line)" },
     { kind: "choice", name: "prompt", label: "or one of", options: Object.keys(data.prompts) }],
    [{ ...number, name: "temperature", label: "temperature", min: 0, max: 2, step: 0.05 },
     { ...number, name: "top_p", label: "top-p", min: 0.05, max: 1, step: 0.05 },
     { kind: "range", name: "top_k", label: "top-k", min: 1, max: n, show: String },
     { kind: "range", name: "seed", label: "seed", min: 0, max: SEEDS - 1, show: String }],
  ];
}

// ---- the picture -------------------------------------------------------------------------------------------------

const visible = sign => ({ " ": "␣", "\n": "⏎" })[sign] ?? sign;
const quoted = sign => `‘${visible(sign)}’`;
const words = (x, y, says, more = {}) =>
  live.tag("text", { x, y, fill: live.INK, "font-size": 13, ...more }, live.escape(says));
const svg = (width, height, inside) =>
  live.tag("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMin meet", "font-family": "system-ui, sans-serif" }, inside);

// The ten most probable characters: dashed before the knobs, orange after them.
function bars({ order, before, after, left }, data) {
  const wide = 220, n = data.vocabulary.length;
  const rows = order.map((i, rank) => {
    const y = 52 + 26 * rank;
    return words(22, y + 14, visible(data.vocabulary[i]), { "font-family": "monospace", "font-size": 15, "text-anchor": "end" }) +
      live.tag("rect", { x: 30, y: y + 1, width: wide * before[i], height: 18, fill: "none", stroke: live.MUTE, "stroke-dasharray": "4 3" }) +
      live.tag("rect", { x: 30, y: y + 5, width: wide * after[i], height: 10, fill: live.ORANGE }) +
      words(30 + wide + 8, y + 14, `${live.fixed(before[i], 3)} → ${live.fixed(after[i], 3)}`, { "font-size": 12 });
  });
  const title = words(2, 18, `${left} of ${n} characters can be drawn`, { "font-size": 15, "font-weight": 600 });
  const key = words(30, 40, "- - the model    ▬ after the knobs", { fill: live.MUTE, "font-size": 12 });
  return { name: "odds", svg: () => svg(380, 60 + 26 * order.length, title + key + rows.join("")) };
}

// The line from 0 to 1, shared out among the characters in the vocabulary's order, and where the seeds' numbers fall.
function line({ after, shares, at, draws }, { seed }, data) {
  const wide = 350, left = 15, x = share => left + wide * share, top = 66;
  const total = shares[shares.length - 1];
  const parts = after.map((share, i) => {
    const begin = (shares[i] - share) / total, width = wide * share / total;
    const fill = i === draws[seed] ? live.ORANGE : i % 2 ? "#FFFFFF" : live.FILL[live.ORANGE];
    const name = width > 9 ? words(x(begin) + width / 2, top + 26, visible(data.vocabulary[i]), {
      "text-anchor": "middle", "font-family": "monospace", fill: i === draws[seed] ? "#000000" : live.INK }) : "";
    return live.tag("rect", { x: x(begin), y: top, width, height: 40, fill, stroke: "#999", "stroke-width": 0.5 }) + name;
  });
  const marks = at.map((each, other) => live.tag("path", { d: `M${x(each)} ${top + 42}v8`, stroke: live.MUTE, "stroke-width": other === seed ? 0 : 1 }));
  const own = live.tag("path", { d: `M${x(at[seed])} ${top - 2}l-6 -10h12z`, fill: live.INK }) +
    words(Math.min(Math.max(x(at[seed]), 60), left + wide - 45), top - 17, `seed ${seed}: ${live.fixed(at[seed], 3)}`, { "text-anchor": "middle", "font-size": 12 });
  const ends = [0, 1].map(end => words(x(end), top + 66, String(end), { "text-anchor": "middle", "font-size": 12 }));
  const says = words(2, 18, `Seed ${seed} draws ${quoted(data.vocabulary[draws[seed]])}`, { "font-size": 15, "font-weight": 600 });
  const all = draws.map(i => visible(data.vocabulary[i])).join(" ");
  const others = words(left, top + 92, `the seeds 0 to ${SEEDS - 1} draw`, { "font-size": 12 }) +
    words(left, top + 112, all, { "font-family": "monospace", "font-size": 14 });
  return { name: "line", svg: () => svg(380, 196, [says, ...parts, ...marks, own, ...ends, others].join("")) };
}

function writing(state, data) {
  const same = Object.keys(state).every(name => data.written.state[name] === state[name]);
  const box = "white-space:pre-wrap;font:13px monospace;overflow-wrap:anywhere;margin:0;padding:6px;background:#fff;color:#222";
  if (same) return `<p><b>Written by the model with these knobs:</b></p><pre style="${box}">${live.escape(data.written.text)}</pre>`;
  return data.kernel ? "<p>The model is writing …</p>"
    : "<p>In the notebook the model writes on with the knobs as they stand.</p>";
}

function draw(found, state, data) {
  const { bits: [before, after], left, draws, order } = found, first = data.vocabulary[order[0]];
  const says = `Temperature ${live.fixed(state.temperature)}, top-k ${state.top_k}, top-p ${live.fixed(state.top_p)}: ` +
    `the entropy goes from ${live.fixed(before)} to ${live.fixed(after)} bits, ${left} of ${data.vocabulary.length} ` +
    `characters can be drawn, and seed ${state.seed} draws ${quoted(data.vocabulary[draws[state.seed]])}.`;
  const label = `Bars of the ten most probable characters after ‘${state.prompt}’ before and after the knobs; the most ` +
    `probable, ${quoted(first)}, goes from ${live.fixed(found.before[order[0]], 3)} to ${live.fixed(found.after[order[0]], 3)}. ${says}`;
  return { panels: [bars(found, data), line(found, state, data)], label, says, below: writing(state, data) };
}

export default live.explorer({
  name: "Temperature and sampling",
  predict: {
    question: "Leave top-p at 0.95 and raise the temperature from 0.7 to 2. How many characters can be drawn then?",
    options: ["fewer", "always as many: top-p knows no temperature", "as many or more"],
    answer: 2,
    then: "Now raise the temperature and see.",
    reached: (_, { temperature, top_k, top_p }, { vocabulary }) =>
      temperature >= 2 && top_k === vocabulary.length && Math.abs(top_p - 0.95) < 0.01,
    because: "Heat makes the likely ones less likely, so it never takes fewer of them to reach 0.95 together, and mostly more.",
  },
  controls, compute, draw,
});
