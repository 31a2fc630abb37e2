// Five answers with rewards: the tilted model q* ∝ p exp(r/β), best of n draws, and what either gains for how much KL.

const ANSWERS = ["A", "B", "C", "D", "E"];
const sum = list => list.reduce((total, each) => total + each, 0);
const dot = (a, b) => sum(a.map((each, i) => each * b[i]));
const moved = (q, p) => sum(q.map((each, i) => each > 0 ? each * Math.log(each / p[i]) : 0));

// q* and log Z; the largest exponent is taken out, or exp would overflow at small β.
function tilted(p, r, beta) {
  const logs = p.map((each, i) => Math.log(each) + r[i] / beta), most = Math.max(...logs);
  const weights = logs.map(each => Math.exp(each - most)), total = sum(weights);
  return { q: weights.map(each => each / total), logZ: most + Math.log(total) };
}

function bestOf(p, r, n) {
  return p.map((each, i) => {
    const asGood = sum(p.filter((_, j) => r[j] === r[i])), below = sum(p.filter((_, j) => r[j] < r[i]));
    return each / asGood * ((asGood + below) ** n - below ** n);
  });
}

const rewardsOf = state => ANSWERS.map((_, i) => state[`r${i}`]);

export function compute(data, state) {
  const { p } = data, r = rewardsOf(state), beta = 10 ** state.power;
  const { q, logZ } = tilted(p, r, beta), best = bestOf(p, r, state.n);
  return {
    beta, q, best,
    reward: { p: dot(p, r), q: dot(q, r), best: dot(best, r) },
    moved: { p: 0, q: moved(q, p), best: moved(best, p) },
    value: beta * logZ,
    line: data.powers.map(power => {
      const at = tilted(p, r, 10 ** power).q;
      return [moved(at, p), dot(at, r)];
    }),
  };
}

function controls() {
  const [low, high] = [-2, 3], plain = x => live.fixed(x, 1);
  const worth = i => ({ kind: "range", name: `r${i}`, label: `reward of ${ANSWERS[i]}`, min: low, max: high, step: 0.1, show: plain });
  const room = (r, by) => by > 0 ? Math.min(by, high - Math.max(...r)) : Math.max(by, low - Math.min(...r));
  const shift = by => ({ kind: "button", label: `${by > 0 ? "+" : "−"} ½ on all five`, act: now => Object.fromEntries(
    rewardsOf(now).map((r, i) => [`r${i}`, Number((r + room(rewardsOf(now), by)).toFixed(1))])) });
  return [
    [{ kind: "range", name: "power", label: "price β", min: -2, max: 1, step: 0.05, show: x => live.say(10 ** x, 2) },
     { kind: "range", name: "n", label: "best of n", min: 1, max: 32, step: 1, show: String }],
    [worth(0), worth(1)], [worth(2), worth(3)], [worth(4), shift(0.5), shift(-0.5)],
  ];
}

function shares(data, state, { beta, q, best }) {
  const top = q.indexOf(Math.max(...q));
  const title = [`β = ${live.say(beta, 2)}: ${ANSWERS[top]} goes from ${live.fixed(data.p[top])} to ${live.fixed(q[top])}`];
  const made = live.panel({ name: "shares", title, x: [-0.6, 4.6], y: [0, 1.12],
    xlabel: "answers A to E", ylabel: "probability" });
  const bar = (x, height, fill, stroke, dash) => made.put(live.tag("rect", { x: made.onX(x), y: made.onY(height),
    width: made.onX(x + 0.24) - made.onX(x), height: made.onY(0) - made.onY(height), fill, stroke, "stroke-dasharray": dash }));
  ANSWERS.forEach((name, i) => {
    bar(i - 0.39, data.p[i], "#FFFFFF", live.MUTE, "3 2");
    bar(i - 0.12, q[i], live.ORANGE, live.ORANGE);
    bar(i + 0.15, best[i], live.FILL[live.TEAL], live.TEAL);
    made.text(i, Math.max(data.p[i], q[i], best[i]), name, { anchor: "middle", dy: -4, weight: 600 });
  });
  return made.text(-0.5, 1.05, "□ p, before", { colour: live.MUTE }).text(1.1, 1.05, "■ q*, tilted", { colour: live.ORANGE })
    .text(2.7, 1.05, `□ best of ${state.n}`, { colour: live.TEAL });
}

function trade(data, state, { line, reward, moved }) {
  const made = live.panel({ name: "trade", title: ["line: q* at every β; ▲ here, ■ best of n"], x: [-0.1, data.kl], y: data.rewards,
    xlabel: "KL from p (nats)", ylabel: "mean reward" });
  return made.line(line, { width: 1.6 }).dots([[0, reward.p]], { colour: live.MUTE, size: 5 })
    .dots([[moved.best, reward.best]], { colour: live.TEAL, shape: "square", size: 5 })
    .dots([[moved.q, reward.q]], { colour: live.ORANGE, shape: "triangle", size: 6, edge: "#FFFFFF" });
}

function draw(found, state, data) {
  const { beta, q, reward, moved, value } = found, top = q.indexOf(Math.max(...q));
  const says = `β = ${live.say(beta, 2)}: q* has mean reward ${live.fixed(reward.q)} for ${live.fixed(moved.q)} nats, p has ` +
    `${live.fixed(reward.p)}; less β times the nats it is worth ${live.fixed(value)}. Its likeliest answer is ${ANSWERS[top]}, ` +
    `${live.fixed(q[top])}. Best of ${state.n} has ${live.fixed(reward.best)} for ${live.fixed(moved.best)} nats.`;
  const label = `Left, the probabilities of five answers before, tilted and as the best of ${state.n}; right, mean reward against ` +
    `KL, a line for all β with the two marked. ${says}`;
  return { panels: [shares(data, state, found), trade(data, state, found)], label, says };
}

export default live.explorer({
  name: "Five answers and a price of moving",
  predict: {
    question: "all five rewards are raised by ½. What becomes of q*?",
    options: ["it moves further towards the best answer", "it comes back towards p", "it stays as it is"],
    answer: 2,
    then: "Now press ‘+ ½ on all five’.",
    reached: (result, state) => state.r1 > -0.75 && Math.abs(state.r1 - state.r0 + 1) < 1e-6,
    because: "e^(1/2β) multiplies all five weights, and Z takes it out again. So preferences, which know only differences of " +
      "rewards, know enough to find q*.",
  },
  controls, compute, draw,
});
