// What scrolls inside the page can be reached by keyboard: code, tables and equations that are wider than their place.
// The theme does not do it, and a page cannot know at build time how wide it will be.

const WIDE = "pre, .course-picture, .table-wrapper, .output table, mjx-container[display='true']";

function reachable() {
  for (const part of document.querySelectorAll(WIDE)) {
    if (part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight + 1) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}

const typeset = window.MathJax?.startup?.promise ?? Promise.resolve();
typeset.then(reachable).then(() => { document.documentElement.dataset.ready = "yes"; });
addEventListener("resize", reachable);
document.addEventListener("toggle", reachable, true);  // a fold has opened
