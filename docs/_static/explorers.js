// Brings the explorers of a page to life: each names a module, whose own code draws it and answers its controls.
// Without this script, or where a module cannot be loaded, its still stays.

// What a module sees in place of a kernel: the front-end interface of anywidget's model.
export class Model {
  #values;
  #listeners = [];

  constructor(values) { this.#values = { ...values }; }

  get(name) { return this.#values[name]; }

  set(name, value) {
    this.#values[name] = value;
    this.#tell(`change:${name}`);
    this.#tell("change");
  }

  save_changes() {}  // nobody else keeps the state

  on(event, listener) { this.#listeners.push({ event, listener }); }

  off(event, listener) {
    this.#listeners = this.#listeners.filter(each =>
      (event && each.event !== event) || (listener && each.listener !== listener));
  }

  #tell(event) {
    for (const each of [...this.#listeners]) if (each.event === event) each.listener();
  }
}

export async function bringToLife(place) {
  const values = JSON.parse(place.querySelector("script").textContent);
  const still = place.querySelector(".course-still");
  const stage = document.createElement("div");
  try {
    const module = await import(new URL(`explorers/${place.dataset.module}`, import.meta.url));
    await module.default.render({ model: new Model(values), el: stage });
    still.replaceWith(stage);
    place.dataset.live = "yes";
  } catch (error) {
    console.error(`${place.dataset.module}: ${error}`);  // the still says how to get the live one
  }
}

// An explorer far down the page is loaded when it comes near.
const near = new IntersectionObserver(entries => {
  for (const entry of entries) if (entry.isIntersecting) {
    near.unobserve(entry.target);
    bringToLife(entry.target);
  }
}, { rootMargin: "800px" });
for (const place of document.querySelectorAll(".course-explorer")) near.observe(place);
