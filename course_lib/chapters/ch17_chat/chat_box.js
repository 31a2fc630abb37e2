// A chat box: the conversation, the tokens of an answer with their probabilities, and what the model nearly said.
// The kernel answers a question; without one the exchanges that are stored can be looked into.

// data: stages; limit, of characters; writing; kernel; exchanges {stage, question, answer, tokens, ended, read, knobs}.
// A token has text, p (the model's own; null where the loop wrote it), chance, near: [[text, p, chance], …].
export function compute({ exchanges }, state) {
  const turn = Math.max(0, Math.min(state.turn, exchanges.length - 1)), { tokens } = exchanges[turn];
  const token = Math.max(0, Math.min(state.token, tokens.length - 1)), own = tokens[token];
  const shares = tokens.map(({ p }) => p ?? 1);  // what the loop wrote was certain
  let product = 1;
  const products = shares.map(share => (product *= share));
  let near = own?.near ?? [];
  if (own && own.p !== null && !near.some(([text]) => text === own.text)) near = [...near, [own.text, own.p, own.chance]];
  return {
    turn, token, shares, products, near,
    least: shares.indexOf(Math.min(...shares)),
    bits: products.map(each => Math.abs(-Math.log2(each))),
    rest: Math.max(0, near.reduce((left, [, p]) => left - p, own?.p == null ? 0 : 1)),
  };
}

const leastSure = tokens => compute({ exchanges: [{ tokens }] }, { turn: 0, token: 0 }).least;

function controls(data, state) {
  const { exchanges, stages } = data, { turn, token, least, shares } = compute(data, state), n = shares.length;
  const second = Math.max(0, shares.indexOf(Math.min(...shares.filter((_, i) => i !== least))));
  const number = { kind: "range", show: x => live.fixed(x) };
  const knobs = [
    { kind: "choice", name: "stage", label: "who answers", options: stages },
    { ...number, name: "temperature", label: "temperature", min: 0, max: 2, step: 0.05 },
    { ...number, name: "top_p", label: "top-p", min: 0.05, max: 1, step: 0.05 },
    { kind: "range", name: "seed", label: "seed", min: 0, max: 20, show: String },
    { kind: "check", name: "memory", label: "with memory" },
    { kind: "check", name: "slow", label: "slowly" },
  ];
  const heads = exchanges.map(({ stage, question }, i) => [i, `${i + 1}: ${stage}, ${shorten(question, 40)}`]);
  const look = [
    { kind: "choice", name: "turn", label: "answer", options: heads },
    { kind: "range", name: "token", label: "token", min: 0, max: Math.max(0, n - 1), show: x => `${x + 1} of ${n}` },
    { kind: "button", label: "least sure tokens", act: () => ({ turn, token: token === least ? second : least }) },
  ];
  return data.kernel ? [knobs, look] : [look];
}

// ---- what is said ------------------------------------------------------------------------------------------------

const shorten = (text, most) => text.length > most ? `${text.slice(0, most - 1)}…` : text;
const visible = text => text.replace(/ /g, "␣").replace(/\n/g, "⏎").replace(/\t/g, "⇥") || "∅";
const quoted = text => `‘${visible(text)}’`;
const chance = p => p > 0 && p < 0.0005 ? "under 0.001" : p < 1 && p > 0.9995 ? "over 0.999" : live.fixed(p, 3);
const ENDS = { stopped: () => "stopped", most: n => `cut after ${n} tokens`, failed: () => "broken off" };

function says(found, { exchanges, writing }) {
  const { stage, tokens, knobs } = exchanges[found.turn], { token, near, products, bits } = found, own = tokens[token];
  if (writing) return `${stage} is writing …`;
  if (!own) return `${stage} said nothing.`;
  const where = `Token ${token + 1} of ${tokens.length}, ${quoted(own.text)}: `;
  const last = token === tokens.length - 1 ? "The whole answer" : "All up to here";
  const product = `${last}: ${live.say(products[token], 3)}, ${live.fixed(bits[token])} bits.`;
  if (own.p === null) return `${where}the loop computed the call and wrote this; the model was not asked. ${product}`;
  const [other] = near.filter(([text]) => text !== own.text);
  const rival = !other ? "" : other[1] > own.p ? ` More probable was ${quoted(other[0])}, ${chance(other[1])}.`
    : ` Next likely: ${quoted(other[0])}, ${chance(other[1])}.`;
  const drawn = `drawn with ${chance(own.chance)} at temperature ${live.fixed(knobs.temperature)}, top-p ${live.fixed(knobs.top_p)}`;
  return `${where}the model gave it ${chance(own.p)}; ${drawn}.${rival} ${product}`;
}

// ---- the pictures ------------------------------------------------------------------------------------------------

const words = (x, y, text, more = {}) => live.tag("text", { x, y, fill: live.INK, "font-size": 13, ...more }, live.escape(text));

// What could have come in the place of the token in focus: dashed the model's own, orange under the knobs.
function bars({ turn, token, near, rest }, { exchanges }) {
  const own = exchanges[turn].tokens[token], wide = 130, left = 122, byLoop = own?.p === null;
  const rows = near.map(([text, p, drawn], rank) => {
    const y = 52 + 27 * rank, same = text === own.text;
    return words(left - 8, y + 15, `${same ? "▸ " : ""}${shorten(visible(text), 11)}`,
        { "font-family": "monospace", "font-size": 14, "text-anchor": "end", "font-weight": same ? 700 : undefined }) +
      live.tag("rect", { x: left, y: y + 1, width: Math.max(0.5, wide * p), height: 20, fill: "none", stroke: live.MUTE, "stroke-dasharray": "4 3" }) +
      live.tag("rect", { x: left, y: y + 6, width: wide * drawn, height: 10, fill: live.ORANGE }) +
      words(left + wide + 10, y + 15, `${live.fixed(p, 3)} → ${live.fixed(drawn, 3)}`, { "font-size": 12.5 });
  });
  const first = !own ? "No token yet" : byLoop ? `${shorten(quoted(own.text), 20)} was written by the loop`
    : `${shorten(quoted(own.text), 20)} had ${chance(own.p)}`;
  const key = !own ? "" : byLoop ? "the model only reads it" : "- - the model    ▬ under the knobs    ▸ drawn";
  const others = near.length ? words(left, 66 + 27 * near.length, `all others together: ${chance(rest)}`, { "font-size": 12.5 }) : "";
  const inside = words(2, 18, first, { "font-size": 15, "font-weight": 600 }) + words(2, 40, key, { "font-size": 12.5 }) + rows.join("") + others;
  return { name: "bars", svg: () => live.tag("svg", { viewBox: "0 0 380 240", preserveAspectRatio: "xMidYMin meet", "font-family": "system-ui, sans-serif" }, inside) };
}

// What the answer has cost in bits, token by token, up to the one in focus.
function cost({ token, bits, shares }) {
  const n = Math.max(1, bits.length), most = Math.max(1, ...bits.filter(Number.isFinite)), here = bits[token] ?? 0;
  const points = [[0, 0], ...bits.slice(0, token + 1).map((each, i) => [i + 1, each])];
  const title = [`${live.fixed(here)} bits after ${Math.min(token + 1, bits.length)} of ${bits.length} tokens`];
  return live.panel({ name: "cost", title, x: [0, n], y: [0, most * 1.08], xlabel: "tokens", ylabel: "bits, −log₂ of the product", width: 380, height: 240 })
    .line(points, { colour: live.BERRY }).dots(points.slice(1), { colour: live.BERRY, size: 3 })
    .dots(shares.length ? [[token + 1, here]] : [], { colour: "#fff", edge: live.INK, size: 5 });
}

// The colour of a probability in 0 … 1, white to berry, and the ink on it that has the contrast.
function shade(p) {
  const stops = ["FFFFFF", "E9B9DC", "B8489A", "8D066D", "4A0339"], at = Math.min(p, 0.9999) * 4, i = Math.floor(at);
  const part = (hex, j) => parseInt(hex.slice(2 * j, 2 * j + 2), 16);
  const mixed = [0, 1, 2].map(j => Math.round(part(stops[i], j) + (at - i) * (part(stops[i + 1], j) - part(stops[i], j))));
  const [r, g, b] = mixed.map(each => each / 255).map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
  return `background:rgb(${mixed});color:${0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff"}`;
}

function chips(found, tokens, turn) {
  const each = ({ text, p }, i) => {
    const kind = `chip${i === found.token ? " here" : ""}${p === null ? " loop" : ""}`;
    const number = p === null ? "loop" : p < 0.005 ? "<0.01" : live.fixed(p);
    return `<span class="${kind}" data-turn="${turn}" data-token="${i}"${p === null ? "" : ` style="${shade(p)}"`}>` +
      `${live.escape(visible(text))}<small>${live.escape(number)}</small></span>`;
  };
  return `<div class="chips" aria-hidden="true">${tokens.map(each).join("")}</div>`;  // the slider says the same
}

function talk(found, { exchanges, writing }) {
  return exchanges.map(({ stage, question, answer, tokens, ended, read, knobs }, i) => {
    const here = i === found.turn, now = writing && i === exchanges.length - 1;
    const notes = [`temperature ${live.fixed(knobs.temperature)}`, `top-p ${live.fixed(knobs.top_p)}`, `seed ${knobs.seed}`];
    if (read) notes.push(`read ${read} earlier ${read === 1 ? "exchange" : "exchanges"}`);
    if (ENDS[ended]) notes.push(ENDS[ended](tokens.length));
    return `<div class="exchange${here ? " here" : ""}" data-turn="${i}">` +
      `<p><b>you</b> <span class="said">${live.escape(question)}</span></p>` +
      `<p><b>${live.escape(stage)}</b> <span class="said">${live.escape(answer)}${now ? " ▌" : ""}</span></p>` +
      (here ? chips(found, tokens, i) : "") + `<p class="small">${live.escape(notes.join(" · "))}</p></div>`;
  }).join("");
}

function draw(found, state, data) {
  const said = says(found, data), { near, turn, token } = found, own = data.exchanges[turn].tokens[token];
  const each = near.map(([text, p, drawn]) => `${quoted(text)} ${live.fixed(p, 3)}, under the knobs ${live.fixed(drawn, 3)}`);
  const label = own ? `Bars of what could have come in the place of ${quoted(own.text)}: ${each.join("; ") || "the loop wrote it"}. ` +
    "A line of the answer's bits, token by token, up to it." : "No token yet.";
  return { panels: [bars(found, data), cost(found)], label, says: said, below: talk(found, data) };
}

export const spec = {
  name: "Chat with the stages",
  predict: {
    question: "Below an answer stand its tokens, each with the probability that the model gave it. How probable is the whole answer?",
    options: ["about as probable as its tokens are on average", "as probable as its least probable token", "less probable than its least probable token"],
    answer: 2,
    then: "Now go to the last token and read what the whole answer has.",
    reached: ({ turn, token }, _, { exchanges, writing }) =>
      !writing && exchanges[turn].tokens.length > 1 && token === exchanges[turn].tokens.length - 1,
    because: "Each token is drawn given those before it, so the probabilities are multiplied, and each that is not quite 1 takes something away.",
  },
  controls, compute, draw,
};

// ---- the box -----------------------------------------------------------------------------------------------------

const STYLE = `
.course-live .exchange { border-left: 4px solid ${live.PALE}; padding: 2px 8px; margin: 4px 0; }
.course-live .exchange.here { border-left-color: ${live.INK}; }
.course-live .exchange p { margin: 0 0 2px; overflow-wrap: anywhere; }
.course-live .exchange p:not(.small) { display: grid; grid-template-columns: minmax(60px, 100px) 1fr; gap: 0 8px; align-items: start; }
.course-live .exchange .said { white-space: pre-wrap; }
.course-live .exchange:not(.here) .said { white-space: normal; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.course-live .exchange .small { font-size: 12px; color: #595959; }
.course-live .exchange:not(.here) { cursor: pointer; }
.course-live .chips { display: flex; flex-wrap: wrap; gap: 4px; margin: 4px 0; }
.course-live .chip { font: 13px/1.25 monospace; border: 1px solid ${live.MUTE}; border-radius: 3px; padding: 1px 4px; min-width: 34px;
  text-align: center; cursor: pointer; overflow-wrap: anywhere; }
.course-live .chip small { display: block; font: 11px/1.2 system-ui, sans-serif; }
.course-live .chip.loop { background: #fff; color: ${live.INK}; border: 2px dashed ${live.INK}; }
.course-live .chip.here { outline: 3px solid ${live.BLUE}; outline-offset: 1px; }
.course-live label.question { flex: 1 1 320px; max-width: none; }
.course-live label.question > span:first-child { flex: 0 0 72px; }
.course-live label > input[aria-valuetext*=" of "] + span { flex-basis: 66px; white-space: nowrap; }
.course-live .wait { color: #595959; }
`;

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// The field for a question with its buttons, or what a page without a kernel says in their place.
function asking(model) {
  const { kernel, limit, exchanges } = model.get("data");
  if (!kernel) {
    return { element: node("p", {}, "These exchanges are stored; in the notebook the models answer your own questions."), heard: () => {} };
  }
  const field = node("input", { type: "text", maxlength: limit, autocomplete: "off", spellcheck: "false" });
  field.value = exchanges[exchanges.length - 1].question;
  const wait = node("span", { class: "wait", role: "status" });
  const tell = message => {
    model.send(message);
    wait.textContent = "sent";  // until the kernel, which may be running a cell, has heard it
  };
  const ask = () => {
    const { stage, temperature, top_p, seed, memory, slow } = model.get("state");
    tell({ do: "send", question: field.value, stage, temperature, top_p, seed, memory, slow });
  };
  field.addEventListener("keydown", event => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    ask();
    field.select();
  });
  const buttons = [["Send", ask], ["Stop", () => tell({ do: "stop" })], ["New", () => tell({ do: "new" })]].map(([name, act]) => {
    const button = node("button", { type: "button" }, name);
    button.addEventListener("click", act);
    return button;
  });
  const label = node("label", { class: "question" }, node("span", {}, "question"), field);
  return { element: node("div", { class: "row" }, label, ...buttons, wait), heard: () => { wait.textContent = ""; } };
}

const page = live.explorer(spec);

export default {
  render({ model, el }) {
    let wrote = false, turns = model.get("data").exchanges.length;
    const { element, heard } = asking(model);
    const follow = () => {  // what is written is in focus, and at its end the token that was least sure
      const data = model.get("data");
      heard();
      if (!data) return;
      const { exchanges, writing } = data, last = exchanges.length - 1;
      if (writing || wrote || exchanges.length !== turns) {
        const { tokens } = exchanges[last];
        model.set("state", { ...model.get("state"), turn: last, token: Math.max(0, writing ? tokens.length - 1 : leastSure(tokens)) });
        if (!writing) model.save_changes();
      }
      [wrote, turns] = [writing, exchanges.length];
    };
    const events = [["change:data", follow], ["change:said", heard]];
    for (const [event, act] of events) model.on(event, act);
    const end = page.render({ model, el });

    const root = el.lastElementChild, find = name => root.querySelector(`:scope > ${name}`);
    const rows = [...root.querySelectorAll(":scope > .row")], below = find(".below");
    rows[0].before(...(rows.length > 1 ? [element] : []));
    find(".note").after(...(rows.length > 1 ? [] : [element]), below, rows[rows.length - 1]);
    root.append(node("style", {}, STYLE));
    below.setAttribute("role", "group");
    below.setAttribute("aria-label", "conversation");
    const point = save => event => {
      const at = event.target.closest("[data-turn]");
      if (!at || (!save && !at.dataset.token)) return;
      const { turn, token } = at.dataset, data = model.get("data"), state = model.get("state");
      const same = Number(turn) === state.turn && (!token || Number(token) === state.token);
      if (data.writing || (same && !(save && token))) return;
      model.set("state", { ...state, turn: Number(turn), token: Number(token ?? leastSure(data.exchanges[turn].tokens)) });
      if (save) model.save_changes();  // the kernel need not hear of every chip under the mouse
    };
    below.addEventListener("pointermove", point(false));  // not over: a mouse that rests would undo what the keys do
    below.addEventListener("click", point(true));
    return () => {
      for (const [event, act] of events) model.off(event, act);
      end();
    };
  },
};
