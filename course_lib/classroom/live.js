// What the live explorers share. Python puts this text before each module's own (course_lib/classroom/live.py), so that
// a module is one file that imports nothing. Everything is reached through `live`; the page gets no name and no id.

const live = (() => {
  const INK = "#222222", MUTE = "#6E6E6E", PALE = "#EFEFEF";
  const BLUE = "#0156FC", ORANGE = "#C86A1E", TEAL = "#0AA582", BERRY = "#8D066D";
  const TEXT = { [ORANGE]: "#A8550F", [TEAL]: "#077A60" };  // where the mark's colour is too pale for text
  const FILL = { [BLUE]: "#DCE7FF", [ORANGE]: "#FAE6D6", [TEAL]: "#D6F2EA", [BERRY]: "#F3DCEE", [MUTE]: PALE };

  const STYLE = `
.course-live { color: ${INK}; background: #fff; color-scheme: light; border: 1px solid #ccc; border-radius: 4px; padding: 10px;
  font: 14px/1.4 system-ui, sans-serif; max-width: 1000px; box-sizing: border-box; }
.course-live * { box-sizing: border-box; }
.course-live p { margin: 0 0 6px; color: ${INK}; }
.course-live .row { display: flex; flex-wrap: wrap; gap: 6px 18px; margin: 6px 0; align-items: center; }
.course-live label { display: flex; flex: 1 1 280px; max-width: 470px; min-height: 24px; gap: 8px; align-items: center; color: ${INK}; }
.course-live label > span:first-child { flex: 0 0 104px; }
.course-live label > span:last-child { flex: 0 0 52px; font-variant-numeric: tabular-nums; }
.course-live input[type=range] { flex: 1 1 90px; min-width: 60px; min-height: 24px; margin: 0; accent-color: ${BERRY}; }
.course-live input[type=text], .course-live select { flex: 1 1 90px; min-width: 60px; }
.course-live input[type=text], .course-live select, .course-live button { font: inherit; color: ${INK};
  background: #fff; border: 1px solid ${MUTE}; border-radius: 3px; padding: 3px 9px; min-height: 28px; }
.course-live input[type=checkbox] { flex: 0 0 auto; width: 18px; height: 18px; margin: 0; accent-color: ${BERRY}; }
.course-live button { cursor: pointer; }
.course-live button:disabled { color: ${MUTE}; background: ${PALE}; cursor: default; }
.course-live button[aria-pressed=true] { background: ${FILL[BERRY]}; border-color: ${BERRY}; font-weight: 600; }
.course-live :focus-visible { outline: 3px solid ${BLUE}; outline-offset: 2px; }
.course-live .guess { border-left: 4px solid ${MUTE}; padding-left: 8px; margin-bottom: 8px; }
.course-live .note { background: ${FILL[ORANGE]}; border-left: 4px solid ${ORANGE}; padding: 1px 8px; }
.course-live .status { border-left: 4px solid ${BERRY}; padding-left: 8px; min-height: 2.8em; }
.course-live .note:empty { display: none; }
.course-live .picture { display: flex; flex-wrap: wrap; gap: 4px 10px; user-select: none; }
.course-live .picture > svg { flex: 1 1 280px; max-width: 480px; min-width: 0; height: auto; background: #fff; }
.course-live .below { overflow-x: auto; }
`;

  // ---- text ---------------------------------------------------------------------------------------------------

  const escape = text => String(text).replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`);

  // A number as people write it: 3 significant digits, a true minus sign, very small and large ones with a power.
  function say(x, digits = 3) {
    if (!Number.isFinite(x)) return x > 0 ? "∞" : x < 0 ? "−∞" : "undefined";
    const size = Math.abs(x);
    if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
      const [base, power] = x.toExponential(Math.max(0, digits - 1)).split("e");
      const raised = [...String(Number(power))].map(sign => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻").join("");
      return `${base === "1" ? "" : `${base.replace("-", "−")}·`}10${raised}`;
    }
    return String(Number(x.toPrecision(digits))).replace("-", "−");
  }

  const fixed = (x, places = 2) => {
    const text = x.toFixed(places);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
  };

  // ---- the page -----------------------------------------------------------------------------------------------

  function node(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // Each kind makes its elements once; `show` follows what the controls of a state say (range, options, value).
  const KINDS = {
    range({ name, label }, set) {
      const input = node("input", { type: "range" }), value = node("span", { "aria-hidden": "true" });
      input.addEventListener("input", () => set({ [name]: Number(input.value) }));
      const show = (control, state) => {
        for (const bound of ["min", "max", "step"]) input[bound] = String(control[bound] ?? (bound === "step" ? 1 : 0));
        input.value = String(state[name]);
        value.textContent = (control.show ?? (x => say(x)))(state[name]);
        input.setAttribute("aria-valuetext", value.textContent);
      };
      return { element: node("label", {}, node("span", {}, label), input, value), show };
    },
    choice({ name, label }, set) {
      const input = node("select");
      let options = [];
      input.addEventListener("change", () => set({ [name]: options[input.selectedIndex][0] }));
      const show = (control, state) => {  // options: values, or pairs of a value and its text
        const now = control.options.map(option => Array.isArray(option) ? option : [option, String(option)]);
        if (JSON.stringify(now) !== JSON.stringify(options)) {
          options = now;
          input.replaceChildren(...options.map(([, text]) => node("option", {}, text)));
        }
        input.selectedIndex = options.findIndex(([value]) => value === state[name]);
      };
      return { element: node("label", {}, node("span", {}, label), input), show };
    },
    text({ name, label }, set) {  // answers Enter, and leaving the field
      const input = node("input", { type: "text", autocomplete: "off", spellcheck: "false" });
      input.addEventListener("change", () => set({ [name]: input.value }));
      const show = (control, state) => { if (input.value !== state[name]) input.value = state[name]; };
      return { element: node("label", {}, node("span", {}, label), input), show };
    },
    check({ name, label }, set) {
      const input = node("input", { type: "checkbox" });
      input.addEventListener("change", () => set({ [name]: input.checked }));
      const show = (control, state) => { input.checked = Boolean(state[name]); };
      return { element: node("label", {}, node("span", {}, label), input), show };
    },
    button({ label }, set) {  // act(state, data) → the changes that it makes
      const button = node("button", { type: "button" }, label);
      let act = () => ({});
      button.addEventListener("click", () => set(act));
      const show = control => { act = control.act; button.disabled = Boolean(control.disabled); };
      return { element: button, show };
    },
  };

  // A question to commit to. Once answered, it says what to try; once `reached(result, state, data)`, who was right.
  function guess({ question, options, answer, then, reached, because }) {
    const said = node("p", { role: "status" });
    let chosen = null, found = false;
    const buttons = options.map((option, i) => {
      const button = node("button", { type: "button", "aria-pressed": "false" }, option);
      button.addEventListener("click", () => {
        if (chosen !== null) return;
        chosen = i;
        buttons.forEach((other, j) => { other.disabled = j !== i; });
        button.setAttribute("aria-pressed", "true");
        said.textContent = `You say: ${options[i]}. ${then}`;
      });
      return button;
    });
    const group = node("div", { class: "row", role: "group", "aria-label": "your prediction" }, ...buttons);
    const title = node("p", {}, node("strong", {}, "Before you move anything: "), question);
    const follow = (result, state, data) => {
      if (chosen === null || found || !reached(result, state, data)) return;
      found = true;
      const verdict = chosen === answer ? "and so it is" : `but it is: ${options[answer]}`;
      said.textContent = `You said: ${options[chosen]}, ${verdict}. ${because}`;
    };
    return { element: node("div", { class: "guess" }, title, group, said), follow };
  }

  // A button that has a range run on to its end (from its start where it is there), the whole of it in so many seconds.
  // Who wants little motion comes to the end at once. range() → min, max, step, value; move(value, last), which halts it
  // where it is the last.
  function player({ seconds }, range, move) {
    const button = node("button", { type: "button" }, "play");
    let frame = 0;  // 0 while it stands
    const halt = () => {
      cancelAnimationFrame(frame);
      frame = 0;
      button.textContent = "play";
    };
    const run = () => {
      const { min, max, step, value } = range(), from = value < max ? value : min;
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) return move(value < max ? max : min, true);
      let began = null;
      const tick = now => {
        began ??= now;
        const at = from + (max - min) * (now - began) / (1000 * seconds);
        if (at >= max) return move(max, true);
        frame = requestAnimationFrame(tick);
        move(Number((min + Math.round((at - min) / step) * step).toFixed(9)), false);
      };
      frame = requestAnimationFrame(tick);
      button.textContent = "stop";
    };
    button.addEventListener("click", () => frame ? move(range().value, true) : run());
    return { button, halt, isRunning: () => frame !== 0 };
  }

  // Arrows and letters move a control and are no shortcut of the page around (JupyterLab's ↑ would leave the cell); with
  // Ctrl, Alt or Command, Shift+Enter and Escape stay the page's.
  const isOurs = ({ ctrlKey, metaKey, altKey, shiftKey, key }) =>
    !ctrlKey && !metaKey && !altKey && key !== "Escape" && !(shiftKey && key === "Enter");

  // spec: {name, predict, controls(data, state) → rows of controls, compute(data, state), draw(result, state, data) →
  // {panels or picture, label, says, below}, point?(panel, x, y, state, data) → changes, play?: {name, seconds}}. Gives
  // what anywidget renders.
  function explorer(spec) {
    return {
      render({ model, el }) {
        const set = changes => {
          const state = model.get("state");
          const made = typeof changes === "function" ? changes(state, model.get("data")) : changes;
          if (play && spec.play.name in made) play.halt();
          model.set("state", { ...state, ...made });  // whose event draws
          model.save_changes();
        };
        const now = () => spec.controls(model.get("data"), model.get("state"));
        const play = spec.play && player(spec.play, () => ({
          step: 1, ...now().flat().find(({ name }) => name === spec.play.name), value: model.get("state")[spec.play.name],
        }), (value, last) => {  // the kernel hears of the last alone
          if (last) set({ [spec.play.name]: value });
          else model.set("state", { ...model.get("state"), [spec.play.name]: value });
        });
        const first = now();
        const rows = first.map(row => row.map(control => KINDS[control.kind](control, set)));
        const prediction = guess(spec.predict);
        const note = node("p", { class: "note", role: "alert" });
        const status = node("p", { class: "status" });
        const picture = node("div", { class: "picture", role: "img" }), below = node("div", { class: "below" });
        let panels = [];

        const put = () => {
          const data = model.get("data"), state = model.get("state");
          now().forEach((row, i) => row.forEach((control, j) => rows[i][j].show(control, state)));
          const result = spec.compute(data, state), drawn = spec.draw(result, state, data);
          panels = drawn.panels ?? [];
          picture.innerHTML = drawn.picture ?? panels.map(panel => panel.svg()).join("");
          picture.setAttribute("aria-label", drawn.label);
          below.innerHTML = drawn.below ?? "";
          status.setAttribute("aria-live", play?.isRunning() ? "off" : "polite");
          status.textContent = drawn.says;
          prediction.follow(result, state, data);
        };
        const update = () => {  // what goes wrong is said; the picture stays
          try {
            put();
            note.textContent = model.get("said") ?? "";
          } catch (error) {
            note.textContent = error.message;
          }
        };
        const drag = event => {
          const at = panels[[...picture.children].indexOf(event.target.closest(".picture > svg"))];
          if (!at || !spec.point || event.buttons !== 1) return;
          const matrix = event.target.closest(".picture > svg").getScreenCTM().inverse();
          const spot = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
          const changes = spec.point(at.name, at.atX(spot.x), at.atY(spot.y), model.get("state"), model.get("data"));
          if (changes) set(changes);
        };
        picture.addEventListener("pointerdown", drag);
        picture.addEventListener("pointermove", event => { if (event.pointerType === "mouse") drag(event); });

        const lines = rows.map(row => node("div", { class: "row" }, ...row.map(control => control.element)));
        if (play) lines[first.findIndex(row => row.some(({ name }) => name === spec.play.name))].append(play.button);
        const root = node("section", { class: "course-live", "aria-label": spec.name },
          node("style", {}, STYLE), prediction.element, ...lines, note, status, picture, below);
        root.addEventListener("keydown", event => { if (isOurs(event)) event.stopPropagation(); });
        const events = ["change:state", "change:data", "change:said"];
        for (const event of events) model.on(event, update);
        update();
        el.append(root);
        return () => {
          for (const event of events) model.off(event, update);
          play?.halt();
          root.remove();
        };
      },
    };
  }

  // ---- pictures: SVG as text ------------------------------------------------------------------------------------

  const tag = (name, attributes, inside = "") => {
    const list = Object.entries(attributes).filter(([, value]) => value !== undefined);
    return `<${name} ${list.map(([key, value]) => `${key}="${escape(value)}"`).join(" ")}>${inside}</${name}>`;
  };

  const round = x => Math.round(x * 100) / 100;

  // About `count` round numbers between two; powers of ten where the scale is a logarithm.
  function ticks([low, high], count = 5, log = false) {
    if (log) {
      const from = Math.ceil(Math.log10(low) - 1e-9), to = Math.floor(Math.log10(high) + 1e-9);
      return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
    }
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough * 0.999);
    const start = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - start + 1 }, (_, i) => (start + i) * step);
  }

  const SHAPES = {
    circle: (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
    triangle: (x, y, r) => `M${x} ${y - r}l${r} ${1.8 * r}h${-2 * r}z`,
    square: (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
    plus: (x, y, r) => `M${x - r} ${y - 1}h${r - 1}v${1 - r}h2v${r - 1}h${r - 1}v2h${1 - r}v${r - 1}h-2v${1 - r}h${1 - r}z`,
  };

  // One pair of axes, drawn into by its methods, in units of the axes. title: lines of text; x, y: limits, fixed.
  function panel({ name = "", title = [], x, y, xlabel, ylabel, log = false, width = 320, height = 300, ticked = true }) {
    const left = 48, right = 10, top = 12 + 18 * title.length, bottom = 40;
    const wide = width - left - right, high = height - top - bottom;
    const level = log ? Math.log10 : v => v, [low, up] = y.map(level);
    const onX = v => round((v - x[0]) / (x[1] - x[0]) * wide), onY = v => round((up - level(v)) / (up - low) * high);
    const inside = [], over = [];
    const ways = points => points.map(([a, b], i) => `${i ? "L" : "M"}${onX(a)} ${onY(b)}`).join("");

    const made = {
      name,
      atX: px => x[0] + (px - left) / wide * (x[1] - x[0]),
      atY: py => { const v = up - (py - top) / high * (up - low); return log ? 10 ** v : v; },
      line(points, { colour = INK, width = 1.8, dash } = {}) {
        inside.push(tag("path", { d: ways(points), fill: "none", stroke: colour, "stroke-width": width,
          "stroke-dasharray": dash, "stroke-linejoin": "round" }));
        return made;
      },
      area(points, base, { colour = BERRY, fill = FILL[colour], opacity = 1 } = {}) {  // between a curve and a level
        const [first, last] = [points[0], points[points.length - 1]];
        const d = `${ways(points)}L${onX(last[0])} ${onY(base)}L${onX(first[0])} ${onY(base)}Z`;
        inside.push(tag("path", { d, fill, "fill-opacity": opacity }));
        return made;
      },
      dots(points, { colour = INK, shape = "circle", size = 4, edge } = {}) {
        const d = points.map(([a, b]) => SHAPES[shape](onX(a), onY(b), size)).join("");
        inside.push(tag("path", { d, fill: colour, stroke: edge, "stroke-width": edge && 1 }));
        return made;
      },
      arrows(list, { colour = MUTE, width = 1.1 } = {}) {  // of [x, y, to right, up], these in pixels
        const d = list.map(([a, b, dx, dy]) => {
          const [px, py, length] = [onX(a), onY(b), Math.hypot(dx, dy)];
          if (length < 0.5) return "";
          const [ux, uy, head] = [dx / length, dy / length, Math.min(4, length * 0.5)];
          const [ex, ey] = [px + dx, py - dy];
          const wing = sign => `${round(ex - head * (ux + sign * uy * 0.6))} ${round(ey + head * (uy - sign * ux * 0.6))}`;
          return `M${px} ${py}L${round(ex)} ${round(ey)}M${wing(1)}L${round(ex)} ${round(ey)}L${wing(-1)}`;
        }).join("");
        inside.push(tag("path", { d, fill: "none", stroke: colour, "stroke-width": width }));
        return made;
      },
      text(a, b, words, { colour = INK, anchor = "start", size = 12, dx = 0, dy = 0, weight } = {}) {
        over.push(tag("text", { x: round(left + onX(a) + dx), y: round(top + onY(b) + dy), fill: TEXT[colour] ?? colour,
          "text-anchor": anchor, "font-size": size, "font-weight": weight }, escape(words)));
        return made;
      },
      put(svg) { inside.push(svg); return made; },  // anything else, in pixels of the plot: see onX, onY
      onX, onY,
      svg() {
        const words = (at, says) => tag("text", { fill: INK, "font-size": 12, ...at }, escape(says));
        const marks = [];
        if (ticked) {
          for (const v of ticks(x)) {
            const px = round(left + onX(v));
            marks.push(tag("path", { d: `M${px} ${top + high}v4`, stroke: INK }));
            marks.push(words({ x: px, y: top + high + 16, "text-anchor": "middle", "font-size": 11 }, say(v)));
          }
          for (const v of ticks(y, 5, log)) {
            const py = round(top + onY(v));
            marks.push(tag("path", { d: `M${left} ${py}h-4`, stroke: INK }));
            marks.push(words({ x: left - 6, y: py + 4, "text-anchor": "end", "font-size": 11 }, say(v, log ? 1 : 3)));
          }
        }
        const axes = tag("path", { d: `M${left} ${top}v${high}h${wide}`, fill: "none", stroke: INK });
        const heads = title.map((line, i) => words({ x: 2, y: 15 + 18 * i, "font-size": 13.5, "font-weight": 600 }, line));
        const names = [words({ x: left + wide / 2, y: height - 6, "text-anchor": "middle" }, xlabel ?? "")];
        const turn = `translate(11 ${top + high / 2}) rotate(-90)`;
        names.push(words({ transform: turn, "text-anchor": "middle" }, ylabel ?? ""));
        const field = tag("svg", { x: left, y: top, width: wide, height: high, overflow: "hidden" }, inside.join(""));
        return tag("svg", { viewBox: `0 0 ${width} ${height}`, "font-family": "system-ui, sans-serif" },
          [field, axes, ...marks, ...heads, ...names, ...over].join(""));
      },
    };
    return made;
  }

  return { INK, MUTE, PALE, BLUE, ORANGE, TEAL, BERRY, TEXT, FILL, escape, say, fixed, tag, ticks, panel, explorer };
})();
