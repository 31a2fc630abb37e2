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
};
