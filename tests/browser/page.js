// What the tests ask of JupyterLab's page beside what they see in it. Only looks; it changes nothing.

window.course = {
  executed: {}, // path → how many cells its kernel has begun to run

  panel(path) {
    return [...window.jupyterapp.shell.widgets("main")].find((widget) => widget.context?.path === path);
  },

  // Whether a notebook can be used: its cells are drawn and its kernel answers. Begins to count what the kernel runs.
  ready(path) {
    const panel = course.panel(path);
    const kernel = panel?.sessionContext.session?.kernel;
    if (!panel?.isVisible || !panel.content.widgets.length || kernel?.status !== "idle") return false;
    if (!(path in course.executed)) {
      course.executed[path] = 0;
      panel.sessionContext.iopubMessage.connect((_, message) => {
        course.executed[path] += message.header.msg_type === "execute_input";
      });
    }
    return true;
  },

  // Whether the kernel has begun a cell since `before` and nothing runs or waits any more.
  done(path, before) {
    const panel = course.panel(path);
    const idle = panel.sessionContext.session?.kernel?.status === "idle";
    const running = panel.content.widgets.some((cell) => cell.model.executionState === "running");
    return course.executed[path] > before && idle && !running;
  },

  // Every cell: its type and source, its number in the order of running, whether it runs, what it shows.
  cells(path) {
    return course.panel(path).content.widgets.map(({ model }) => ({
      type: model.type,
      source: model.sharedModel.getSource(),
      count: model.executionCount ?? null,
      running: model.executionState === "running",
      outputs: model.type === "code" ? model.outputs.toJSON().map(course.summary) : [],
    }));
  },

  summary(output) {
    const text = (value) => (Array.isArray(value) ? value.join("") : (value ?? ""));
    const data = output.data ?? {};
    const said = output.output_type === "error" ? `${output.ename}: ${output.evalue}` : text(output.text ?? data["text/plain"]);
    return {
      kind: output.output_type,
      text: said,
      html: text(data["text/html"]),
      picture: "image/png" in data,
      widget: "application/vnd.jupyter.widget-view+json" in data,
    };
  },

  // The pictures that the page could not draw.
  broken(path) {
    const pictures = [...course.panel(path).node.querySelectorAll(".jp-OutputArea img")];
    return pictures.filter((picture) => picture.complete && !picture.naturalWidth).length;
  },

  // --- explorers: `root` is the element with the controls and the picture

  // What the picture is made of; null while an image of it is not there yet.
  picture(root) {
    const parts = [...root.querySelectorAll("img, canvas, .picture, .below")];
    if (parts.some((part) => part.tagName === "IMG" && !part.complete)) return null;
    const bytes = { IMG: (part) => part.src, CANVAS: (part) => part.toDataURL() };
    return parts.map((part) => (bytes[part.tagName] ?? ((other) => other.innerHTML))(part)).join();
  },

  // What the controls say of themselves, and every word beside the picture.
  words(root) {
    const values = course.controls(root).map((control) =>
      [control.value, control.checked, control.className, control.ariaPressed, control.ariaValueNow].join(),
    );
    const said = root.querySelectorAll(".status, .note, .guess, .widget-html-content, .widget-readout");
    return [...values, ...[...said].map((part) => part.textContent)].join("|");
  },

  controls(root) {
    const all = root.querySelectorAll("input:not([type=hidden]), select, textarea, button, [role=slider]");
    return [...all].filter((control) => control.checkVisibility());
  },

  describe(control) {
    const label = control.labels?.[0]?.querySelector("span") ?? control.closest(".jupyter-widgets")?.querySelector(".widget-label");
    const name = control.textContent.trim() && control.tagName === "BUTTON" ? control.textContent : label?.textContent;
    const last = control.tagName === "SELECT" ? control.length - 1 : Number(control.max || control.ariaValueMax);
    const now = control.tagName === "SELECT" ? control.selectedIndex : Number(control.ariaValueNow ?? control.value);
    return {
      name: (name || control.title || control.querySelector("i")?.className || "").trim(),
      kind: control.getAttribute("role") ?? (control.tagName === "INPUT" ? control.type : control.tagName.toLowerCase()),
      ends: now >= last,
      guess: Boolean(control.closest(".guess")),
      disabled: Boolean(control.disabled),
    };
  },

  // From now on, for each key pressed: the milliseconds from the key to the frame in which the picture is another.
  time(root) {
    course.times = [];
    course.stop?.();
    const pressed = (event) => {
      const before = course.picture(root);
      const look = () => {
        const now = course.picture(root);
        if (now === null || now === before) return requestAnimationFrame(look);
        course.times.push(performance.now() - event.timeStamp);
      };
      requestAnimationFrame(look);
    };
    document.addEventListener("keydown", pressed, true);
    course.stop = () => document.removeEventListener("keydown", pressed, true);
  },

  // Asks the kernel twice: what a control keeps back until its last message was answered is sent between the two.
  async answered(root) {
    const panel = [...window.jupyterapp.shell.widgets("main")].find((widget) => widget.node.contains(root));
    for (let i = 0; i < 2; i++) await panel.sessionContext.session.kernel.requestKernelInfo();
    await new Promise(requestAnimationFrame);
  },

  // --- what one sees

  // The words in an element whose contrast with the ground below them is under a limit; pictures and what is disabled apart.
  pale(root, limit) {
    const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
      paint.clearRect(0, 0, 1, 1);
      paint.fillStyle = colour;
      paint.fillRect(0, 0, 1, 1);
      return [...paint.getImageData(0, 0, 1, 1).data];
    };
    const over = (top, below) => top.slice(0, 3).map((part, i) => (part * top[3] + below[i] * (255 - top[3])) / 255);
    const ground = (element) => {
      if (!element) return [255, 255, 255];
      const own = rgba(getComputedStyle(element).backgroundColor);
      return own[3] === 255 ? own.slice(0, 3) : over(own, ground(element.parentElement));
    };
    const light = (colour) => {
      const [r, g, b] = colour.map((part) => (part / 255 <= 0.04045 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = [];
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const words = walk.currentNode.textContent.trim();
      const element = walk.currentNode.parentElement;
      if (!words || element.closest("svg, style, script, :disabled") || !element.checkVisibility()) continue;
      const below = ground(element);
      const [high, low] = [over(rgba(getComputedStyle(element).color), below), below].map(light).sort((a, b) => b - a);
      const ratio = (high + 0.05) / (low + 0.05);
      if (ratio < limit) found.push(`${ratio.toFixed(2)} : 1 for ‘${words.slice(0, 60)}’`);
    }
    return found;
  },

  // The parts of an element that move or fade by themselves.
  moving(root) {
    const still = ({ animationName, transitionDuration }) => animationName === "none" && parseFloat(transitionDuration) === 0;
    const parts = [root, ...root.querySelectorAll("*")].filter((part) => !still(getComputedStyle(part)));
    return parts.map((part) => `${part.tagName.toLowerCase()}.${part.getAttribute("class")}`);
  },
};
