// One head of attention on a text: scores, scaling and mask, softmax, one cell written out, all heads of the layer.

const LONGEST = 8;  // tokens: more than 8 × 8 digits cannot be read
const SHOWN = 6;  // terms of a long product

const cut = (text, unit) => unit === "words" ? text.trim().split(/\s+/).filter(Boolean) : Array.from(text);

// The numbers of a text as layers × heads × time × d_head.
function unpacked(text, [layers, heads, d]) {
  const flat = text.split(" ").map(Number), time = flat.length / (layers * heads * d);
  const list = (n, make) => Array.from({ length: n }, (_, i) => make(i));
  const row = at => flat.slice(at * d, (at + 1) * d);
  return list(layers, l => list(heads, h => list(time, t => row((l * heads + h) * time + t))));
}

// data: unit; shape: layers, heads, d_head; texts {text: {q, k}}; words {token: {q, k}}, of which any text is put
// together; refused {text: what the kernel said}; kernel, where there is one.
function read(data, text) {
  const tokens = cut(text, data.unit);
  if (tokens.length < 2 || tokens.length > LONGEST) {
    throw new Error(`text: expected 2 to ${LONGEST} ${data.unit}, got ${tokens.length}`);
  }
  if (Object.hasOwn(data.texts, text)) {
    return { tokens, q: unpacked(data.texts[text].q, data.shape), k: unpacked(data.texts[text].k, data.shape) };
  }
  const unknown = tokens.find(token => !Object.hasOwn(data.words, token));
  if (unknown !== undefined) throw new Error(why(data, text, unknown));
  const of = name => {
    const each = tokens.map(token => unpacked(data.words[token][name], data.shape));
    return each[0].map((heads, l) => heads.map((_, h) => each.map(found => found[l][h][0])));
  };
  return { tokens, q: of("q"), k: of("k") };
}

function why(data, text, unknown) {
  if (Object.hasOwn(data.refused, text)) return data.refused[text];
  if (data.kernel) return `Asking the model for the text ‘${text}’ …`;
  const words = Object.keys(data.words);
  if (words.length) return `The word ‘${unknown}’ is not known here; these are: ${words.join(", ")}.`;
  return `This page has the texts of the list alone; in the notebook the model reads any ${data.unit} that it knows.`;
}

const dot = (a, b) => a.reduce((sum, each, i) => sum + each * b[i], 0);

// softmax over the keys up to and including the query's own place
function causalSoftmax(row, t) {
  const most = Math.max(...row.slice(0, t + 1));
  const shares = row.map((score, s) => s <= t ? Math.exp(score - most) : 0);
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map(share => share / total);
}

function stages(q, k) {
  const scores = q.map(asks => k.map(asked => dot(asks, asked)));
  const scaled = scores.map(row => row.map(score => score / Math.sqrt(q[0].length)));
  return { scores, scaled, weights: scaled.map(causalSoftmax) };
}

export function compute(data, { text, layer, head, query, key }) {
  const { tokens, q, k } = read(data, text), last = tokens.length - 1;
  const row = Math.min(query, last), column = Math.min(key, last);
  const heads = q[layer].map((own, h) => stages(own, k[layer][h]));
  const { scores, scaled, weights } = heads[head];
  return {
    tokens, query: row, key: column, scores, scaled, weights,
    heads: heads.map(each => each.weights),
    pairs: q[layer][head][row].map((each, i) => [each, k[layer][head][column][i]]),
    power: Math.exp(scaled[row][column]),
    total: scaled[row].slice(0, row + 1).reduce((sum, score) => sum + Math.exp(score), 0),
  };
}

function controls(data, { text }) {
  const [layers, heads] = data.shape;
  const number = (name, label, max) => ({ kind: "range", name, label, min: 0, max, show: x => String(Math.min(x, max)) });
  let last = LONGEST - 1;
  const tokens = cut(text, data.unit);
  if (tokens.length >= 2 && tokens.length <= LONGEST) last = tokens.length - 1;
  return [
    [{ kind: "text", name: "text", label: `your ${data.unit}` },
     { kind: "choice", name: "text", label: "or one of", options: Object.keys(data.texts) }],
    [{ kind: "choice", name: "stage", label: "open up to", options: [[0, "scores"], [1, "scale and mask"], [2, "softmax"]] },
     ...(layers > 1 ? [number("layer", "layer", layers - 1)] : []),
     number("head", "head", heads - 1)],
    [number("query", "query row", last), number("key", "key column", last)],
  ];
}

// ---- the picture -------------------------------------------------------------------------------------------------

const visible = token => ({ " ": "␣", "\n": "⏎" })[token] ?? token;
const mix = (a, b, share) => a.map((each, i) => Math.round(each + (b[i] - each) * share));
const rgb = hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
const WEIGHTS = ["#FFFFFF", "#E9B9DC", "#B8489A", "#8D066D", "#4A0339"].map(rgb);
const SIGNED = [live.BLUE, "#F2F2F2", live.ORANGE].map(rgb);

function shade(stops, x) {  // x from 0 to 1
  const at = Math.min(stops.length - 2, Math.floor(x * (stops.length - 1)));
  return `rgb(${mix(stops[at], stops[at + 1], x * (stops.length - 1) - at)})`;
}

const SIZE = 40, LEFT = 62, TOP = 58, GAP = 46;  // of a cell, and of what stands around the cells

const words = (x, y, says, more = {}) =>
  live.tag("text", { x, y, fill: live.INK, "text-anchor": "middle", "font-size": 13, ...more }, live.escape(says));

// A matrix with its digits, as a panel of the frame: rows ask, columns are asked; a forbidden cell is hatched.
function matrix({ name, title, values, tokens, focus, masked = false, signed = true, sums = false, open = true }) {
  const n = tokens.length, wide = LEFT + Math.max(n, 5) * SIZE + GAP, high = TOP + n * SIZE + 22;
  const allowed = (r, c) => !masked || c <= r;
  const limit = Math.max(...values.flatMap((row, r) => row.filter((_, c) => allowed(r, c)).map(Math.abs))) || 1;
  const cell = (value, r, c) => {
    const [x, y] = [LEFT + c * SIZE, TOP + r * SIZE];
    const box = { x, y, width: SIZE, height: SIZE, stroke: "#ccc" };
    if (!allowed(r, c)) {
      const lines = [0.25, 0.5, 0.75].map(part => `M${x} ${y + SIZE * part}L${x + SIZE * part} ${y}`).join("") +
        [0, 0.25, 0.5, 0.75].map(part => `M${x + SIZE * part} ${y + SIZE}L${x + SIZE} ${y + SIZE * part}`).join("");
      return live.tag("rect", { ...box, fill: live.PALE }) + live.tag("path", { d: lines, stroke: "#B4B4B4" });
    }
    const fill = signed ? shade(SIGNED, 0.5 + value / limit / 2) : shade(WEIGHTS, value);
    const dark = signed ? value < -0.75 * limit : value >= 0.47;
    const digits = live.fixed(value, Math.abs(value) < 9.995 ? 2 : 1);
    return live.tag("rect", { ...box, fill }) +
      words(x + SIZE / 2, y + SIZE / 2 + 4.5, digits, { fill: dark ? "#FFFFFF" : live.INK, "font-size": 12 });
  };
  const [row, column] = focus;
  const edge = { x: LEFT + column * SIZE + 1.5, y: TOP + row * SIZE + 1.5, width: SIZE - 3, height: SIZE - 3 };
  const inside = open
    ? values.map((line, r) => line.map((value, c) => cell(value, r, c)).join("")).join("") +
      live.tag("rect", { ...edge, fill: "none", stroke: live.INK, "stroke-width": 3 }) +
      (sums ? values.map((line, r) => words(LEFT + n * SIZE + 5, TOP + r * SIZE + 24,
        `Σ ${live.fixed(line.reduce((sum, each) => sum + each, 0))}`, { "text-anchor": "start", "font-size": 12, fill: live.MUTE })).join("") : "")
    : live.tag("rect", { x: LEFT, y: TOP, width: n * SIZE, height: n * SIZE, fill: "none", stroke: live.MUTE, "stroke-dasharray": "5 4" }) +
      words(LEFT + n * SIZE / 2, TOP + n * SIZE / 2, "not open yet", { fill: live.MUTE });
  const names = tokens.map((token, i) =>
    words(LEFT - 6, TOP + i * SIZE + 24, visible(token), { "text-anchor": "end" }) +
    words(LEFT + i * SIZE + SIZE / 2, TOP - 7 - (token.length > 5 && i % 2 ? 14 : 0), visible(token))).join("");
  const heads = words(2, 18, title, { "text-anchor": "start", "font-size": 15, "font-weight": 600 });
  const shape = words(LEFT + n * SIZE / 2, high - 6, `(${n} queries, ${n} keys)`, { "font-size": 12 });
  return {
    name, atX: x => Math.floor((x - LEFT) / SIZE), atY: y => Math.floor((y - TOP) / SIZE),
    svg: () => live.tag("svg", { viewBox: `0 0 ${wide} ${high}`, "font-family": "system-ui, sans-serif" },
      heads + names + inside + shape),
  };
}

// The weights of all heads of the layer, small; the chosen one has a thick edge and a sign.
function small(heads, chosen, ofLayer, open) {
  const size = 84, step = 96, n = heads[0].length;
  const inside = heads.map((weights, h) => {
    const cells = !open ? [] : weights.map((row, r) => row.map((value, c) => live.tag("rect", {
      x: h * step + 4 + c * size / n, y: 28 + r * size / n, width: size / n, height: size / n, fill: shade(WEIGHTS, value) })).join(""));
    const edge = h === chosen ? { stroke: live.INK, "stroke-width": 3 } : { stroke: "#999" };
    return cells.join("") + live.tag("rect", { x: h * step + 4, y: 28, width: size, height: size, fill: "none", ...edge }) +
      words(h * step + 4 + size / 2, 128, `head ${h}${h === chosen ? " ◂" : ""}`, { "font-size": 12 });
  }).join("");
  const title = words(2, 16, `Weights of all heads${ofLayer}${open ? "" : ": not open yet"}`, { "text-anchor": "start", "font-weight": 600 });
  return {
    name: "heads", atX: x => Math.floor((x - 4) / step), atY: y => y,
    svg: () => live.tag("svg", { viewBox: `0 0 ${Math.max(420, heads.length * step)} 134`, "font-family": "system-ui, sans-serif" },
      title + inside),
  };
}

const two = x => live.fixed(x);

// The way of the cell in focus from the products of q and k to its weight, as far as it is open.
function writtenOut({ tokens, query, key, pairs, scores, scaled, weights, power, total }, stage) {
  const largest = [...pairs].sort((a, b) => Math.abs(b[0] * b[1]) - Math.abs(a[0] * a[1])).slice(0, SHOWN);
  const shown = pairs.length > 16 ? largest : pairs;
  const rest = pairs.length - shown.length;
  const terms = shown.map(pair => pair.map(two).join("·")).join(" + ") + (rest ? ` + ${rest} smaller terms` : "");
  const name = i => `<b>${live.escape(visible(tokens[i]))}</b>`;
  const way = `query ${query} ${name(query)} · key ${key} ${name(key)} = ${terms} = <b>${two(scores[query][key])}</b>`;
  if (stage === 0) return `<p>${way}</p>`;
  if (key > query) {
    return `<p>${way}<br>key ${key} lies in the future of query ${query}: masked${stage > 1 ? ", weight 0" : ""}</p>`;
  }
  const score = two(scaled[query][key]);
  if (stage === 1) return `<p>${way}<br>÷ √${pairs.length} = ${score}</p>`;
  return `<p>${way}<br>÷ √${pairs.length} = ${score}; e<sup>${score}</sup> = ${live.say(power)}; ` +
    `÷ the row’s sum ${live.say(total)} = <b>${two(weights[query][key])}</b></p>`;
}

const TIED = 1e-6;  // weights nearer than this are one

// The finding, as far as it is open.
function finding({ tokens, query, key, scores, scaled, weights }, stage) {
  const place = i => `‘${visible(tokens[i])}’ at ${i}`, score = two(scores[query][key]);
  if (stage === 0) return `${place(query)} asks ${place(key)}: score ${score}.`;
  const future = `${place(key)} lies in its future and is masked.`;
  if (stage === 1) {
    const now = key > query ? future : `${place(key)}: score ${score}, scaled ${two(scaled[query][key])}.`;
    return `${place(query)} asks ${now}`;
  }
  const row = weights[query], most = Math.max(...row);
  const firsts = row.map((_, i) => i).filter(i => row[i] > most - TIED);
  const cell = key > query ? future
    : `${place(key)} gets ${two(row[key])}: score ${score}, scaled ${two(scaled[query][key])}.`;
  const names = firsts.map(place), last = names.pop();
  const each = names.length ? " each" : "", all = names.length ? `${names.join(", ")} and ${last}` : last;
  return `${place(query)} gives the most, ${two(most)}${each}, to ${all}; ${cell}`;
}

function draw(found, { layer, head, stage }, data) {
  const ofLayer = data.shape[0] > 1 ? ` of layer ${layer}` : "";
  const { tokens, query, key, scores, scaled, weights, heads, pairs } = found;
  const common = { tokens, focus: [query, key] };
  const panels = [
    matrix({ ...common, name: "scores", title: "1 · scores q·k", values: scores }),
    matrix({ ...common, name: "scaled", title: `2 · ÷ √${pairs.length}, masked`, values: scaled, masked: true, open: stage > 0 }),
    matrix({ ...common, name: "weights", title: "3 · softmax: weights", values: weights, masked: true, signed: false, sums: true, open: stage > 1 }),
    small(heads, head, ofLayer, stage > 1),
  ];
  const says = `Head ${head}${ofLayer}: ${finding(found, stage)}`;
  const opened = ["scores are open", "scores and scaled scores are open", "scores, scaled scores and weights are open"];
  return { panels, says, below: writtenOut(found, stage),
    label: `Attention on ‘${tokens.map(visible).join(" ")}’, rows ask and columns are asked; ${opened[stage]}. ${says}` };
}

export default live.explorer({
  name: "Attention, opened stage by stage",
  predict: {
    question: "No token may look into the future. What weight does the first token give to itself?",
    options: ["it depends on the text", "one share in as many as there are tokens", "1"],
    answer: 2,
    then: "Now open up to softmax, put the query row and the key column to 0, and try several heads and texts.",
    reached: ({ query, key }, { stage }) => query === 0 && key === 0 && stage === 2,
    because: "Its row has a single key that is not masked, and the weights of a row add up to 1, whatever the score.",
  },
  controls, compute, draw,
  point: (panel, x, y, { text, head }, data) => {
    if (panel === "heads") return x === head || x < 0 || x >= data.shape[1] ? null : { head: x };
    const last = cut(text, data.unit).length - 1;
    return x < 0 || y < 0 || x > last || y > last ? null : { query: y, key: x };
  },
});
