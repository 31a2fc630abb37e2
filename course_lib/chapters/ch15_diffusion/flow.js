// Particles flow from noise, t = 0, to a mixture of bells in the plane, t = 1, by the exact velocity;
// x_t = α x + σ ε on the way.

const PATHS = {  // α, σ and their derivatives by t
  straight: t => [t, 1 - t, 1, -1],
  cosine: t => {
    const quarter = Math.PI / 2, alpha = Math.sin(quarter * t), sigma = Math.cos(quarter * t);
    return [alpha, sigma, quarter * sigma, -quarter * alpha];
  },
};

// The mean of dx_t/dt given x_t: bell k has x_t from N(α m, (α² w² + σ²) I), and its share of the point as weight.
function velocity(bells, [a, s, da, ds], [x, y]) {
  const each = bells.map(([share, [mx, my], width]) => {
    const variance = (a * width) ** 2 + s * s, dx = (x - a * mx) / variance, dy = (y - a * my) / variance;
    const log = Math.log(share) - (dx * dx + dy * dy) * variance / 2 - Math.log(variance);
    const kept = da * a * width * width + ds * s;
    return [log, da * mx + kept * dx, da * my + kept * dy];
  });
  const most = Math.max(...each.map(([log]) => log));
  let [total, u, v] = [0, 0, 0];
  for (const [log, vx, vy] of each) {
    const part = Math.exp(log - most);
    total += part;
    u += part * vx;
    v += part * vy;
  }
  return [u / total, v / total];
}

const plus = ([x, y], h, [u, v]) => [x + h * u, y + h * v];

// The three ways to go one step from time now to time then; drawn: fresh noise.
const SAMPLERS = {
  euler: (bells, path, x, now, then) => plus(x, then - now, velocity(bells, path(now), x)),
  heun(bells, path, x, now, then) {
    const first = velocity(bells, path(now), x), tried = plus(x, then - now, first);
    const [u, v] = velocity(bells, path(then), tried);
    return plus(x, then - now, [(first[0] + u) / 2, (first[1] + v) / 2]);
  },
  "fresh noise"(bells, path, x, now, then, drawn) {  // guess data and noise, put them together with noise half new
    const [a, s, da, ds] = path(now), [b, r] = path(then), v = velocity(bells, [a, s, da, ds], x);
    const fresh = r * Math.sqrt(Math.max(0, 1 - (a / b) ** 2 * r * r / (s * s)));
    const old = Math.sqrt(Math.max(0, r * r - fresh * fresh)), determinant = a * ds - s * da;
    return x.map((each, i) => {
      const data = (ds * each - s * v[i]) / determinant, noise = (a * v[i] - da * each) / determinant;
      return b * data + old * noise + fresh * drawn[i];
    });
  },
};

const apart = (p, q) => Math.hypot(p[0] - q[0], p[1] - q[1]);
const sum = list => list.reduce((total, each) => total + each, 0);
const lengthOf = way => sum(way.slice(1).map((place, i) => apart(place, way[i])));

// data: targets {name: [[share, centre, width], …]}, starts, draws [step][particle], ends {name: where the flow itself
// carries each start}, plane, the half side, and arrows, how many a side.
export function compute(data, { target, path, sampler, steps, t, particle }) {
  const bells = data.targets[target], at = PATHS[path], step = SAMPLERS[sampler];
  const places = data.starts.map((start, i) => {
    const way = [start];
    for (let n = 0; n < steps; n++) way.push(step(bells, at, way[n], n / steps, (n + 1) / steps, data.draws[n][i]));
    return way;
  });
  const before = Math.min(Math.floor(t * steps), steps - 1), part = t * steps - before;
  const ends = places.map(way => way[steps]), lengths = places.map(lengthOf);
  const distances = ends.map((end, i) => apart(end, data.starts[i]));
  const mean = [0, 1].map(axis => sum(bells.map(([share, centre]) => share * centre[axis])));
  const ticks = Array.from({ length: data.arrows }, (_, i) => data.plane * (2 * i / (data.arrows - 1) - 1));
  return {
    places,
    now: places.map(way => [0, 1].map(i => (1 - part) * way[before][i] + part * way[before + 1][i])),
    field: ticks.map(y => ticks.map(x => velocity(bells, at(t), [x, y]))),  // a row for each y
    evaluations: steps * (sampler === "heun" ? 2 : 1),
    off: sampler === "fresh noise" ? null : sum(ends.map((end, i) => apart(end, data.ends[target][i]))) / ends.length,
    near: ends.filter(end => bells.some(([, centre, width]) => apart(end, centre) < 2 * width)).length / ends.length,
    mean,
    spread: Math.max(...ends.map(end => apart(end, mean))),
    length: lengths[particle],
    distance: distances[particle],
    detour: sum(distances) > 1e-9 ? sum(lengths) / sum(distances) : 1,
  };
}

const MOST = 64;  // steps

const NAMES = { euler: "Euler", heun: "Heun", "fresh noise": "DDIM with fresh noise" };

function controls(data) {
  return [
    [{ kind: "choice", name: "target", label: "data", options: Object.keys(data.targets) },
     { kind: "choice", name: "path", label: "path", options: [["straight", "straight: α = t"],
       ["cosine", "cosine: α = sin(πt/2)"]] }],
    [{ kind: "choice", name: "sampler", label: "sampler", options: Object.entries(NAMES) },
     { kind: "range", name: "steps", label: "steps", min: 1, max: MOST, step: 1, show: String }],
    [{ kind: "range", name: "t", label: "time t", min: 0, max: 1, step: 0.01, show: t => live.fixed(t) }],
    [{ kind: "range", name: "particle", label: "follow", min: 0, max: data.starts.length - 1, step: 1, show: n => `no. ${n}` },
     { kind: "check", name: "field", label: "field at t" }],
  ];
}

const WAY = "#E3B48C";

// A plane with the data's circles, of two widths around each centre, and the particles where they are.
function plane(data, { target, particle }, { name, title, ylabel }, below, spots) {
  const edge = data.plane, made = live.panel({ name, title, x: [-edge, edge], y: [-edge, edge],
    xlabel: "first number of x", ylabel, width: 340, height: 364 });
  below(made);
  for (const [, [x, y], width] of data.targets[target]) {
    const round = Array.from({ length: 41 }, (_, i) => i * Math.PI / 20);
    made.line(round.map(turn => [x + 2 * width * Math.cos(turn), y + 2 * width * Math.sin(turn)]),
      { colour: live.BLUE, width: 1.5, dash: "5 3" });
  }
  return made.dots(spots, { colour: live.ORANGE, shape: "triangle", size: 4.5, edge: "#FFFFFF" })
    .dots([spots[particle]], { colour: live.BERRY, shape: "square", size: 4 });
}

function moment(data, state, { places, now, field }) {
  const { t, steps } = state, edge = data.plane, apiece = 2 * edge / (data.arrows - 1);
  const title = [`t = ${live.fixed(t)}: ${now.length} particles ▲,`, "■ the one that is followed"];
  return plane(data, state, { name: "moment", title, ylabel: "second number of x" }, made => {
    if (state.field) {
      const arrows = field.flatMap((row, i) => row.map(([u, v], j) => {
        const long = 9 / Math.sqrt(Math.max(Math.hypot(u, v), 1e-9));  // long ones are shortened: the direction counts
        return [j * apiece - edge, i * apiece - edge, u * long, v * long];
      }));
      made.arrows(arrows, { colour: "#A8A8A8" });
    }
    const done = Math.floor(t * steps + 1e-9) + 1;
    places.forEach((way, i) => made.line([...way.slice(0, done), now[i]], { colour: WAY, width: 0.9 }));
  }, now);
}

const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const taken = ({ sampler, steps }, { evaluations }) =>
  `${NAMES[sampler]}, ${counted(steps, "step")}, ${counted(evaluations, "evaluation")}:`;

function whole(data, state, found) {
  const { places, length, distance } = found, way = places[state.particle], ends = places.map(each => each[state.steps]);
  const goal = found.off === null ? [] : [data.ends[state.target][state.particle]];  // fresh noise leads anywhere
  const title = [taken(state, found), `■ went ${live.fixed(length)}, came ${live.fixed(distance)} far` +
    (goal.length ? "; + exact end" : "")];
  return plane(data, state, { name: "whole", title }, made => {
    for (const each of places) made.line(each, { colour: WAY, width: 0.9 });
    made.line([way[0], way[state.steps]], { colour: live.MUTE, width: 1.5, dash: "5 4" })
      .line(way, { width: 1.8 }).dots(way, { size: 1.8 });
  }, ends).dots(goal, { shape: "plus", size: 7 });
}

function draw(found, state, data) {
  const { off, near, spread, length, distance, detour } = found, many = data.starts.length;
  const where = spread < 5e-3 ? "all particles end in one point, the mean of the data"
    : `${Math.round(near * many)} of ${many} particles end within two widths of a centre (of the data 86 % lie there)`;
  const away = off === null ? "" : `, on average ${live.say(off, 2)} from where the flow itself ends`;
  const says = `${taken(state, found)} ${where}${away}. No. ${state.particle} goes ${live.fixed(length)} and comes ` +
    `${live.fixed(distance)} far; all ways together are ${live.fixed(detour)} times as long as straight ones.`;
  const label = `Left, the particles at t = ${live.fixed(state.t)} on their way to ${state.target}, ` +
    `${state.field ? "with the field of velocities" : "without the field"}; right, their whole ways by ${NAMES[state.sampler]} ` +
    `on the ${state.path} path, one of them in bold beside a straight line. ${says}`;
  return { panels: [moment(data, state, found), whole(data, state, found)], label, says };
}

export default live.explorer({
  name: "Flowing particles",
  predict: {
    question: "on the straight path, one step of Euler goes from noise, t = 0, to t = 1. Where do the particles land?",
    options: ["each in a cluster", "all at one point, the mean of the data", "they stay where they are"],
    answer: 1,
    then: "Now set the steps to 1.",
    reached: ({ spread }, { path, sampler, steps }) => path === "straight" && sampler === "euler" && steps === 1 && spread < 1e-6,
    because: "At t = 0 a particle's place says nothing of its goal: the best guess of x is the mean of the data, and the " +
      "velocity E[x] − ε leads there in one step. Only at later times does the field tell the particles apart.",
  },
  play: { name: "t", seconds: 4 },
  controls, compute, draw,
  point(panel, x, y, state, data) {  // the nearest particle is followed
    const { now, places } = compute(data, state), spots = panel === "moment" ? now : places.map(way => way[state.steps]);
    const gaps = spots.map(spot => apart(spot, [x, y]));
    return { particle: gaps.indexOf(Math.min(...gaps)) };
  },
});
