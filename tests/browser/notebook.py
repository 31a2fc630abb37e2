"""One notebook open in JupyterLab: its cells, what they show, and what a learner does with them."""

from dataclasses import dataclass
from pathlib import Path

KEPT = Path(__file__).parents[2] / "build" / "browser"  # pictures of what failed
SECOND = 1_000  # Playwright counts in milliseconds
DONE = "([path, before]) => course.done(path, before)"


@dataclass(frozen=True)
class Output:
    """What a cell shows: kind as in the notebook's file; text without a picture's bytes; html, '' where there is none."""

    kind: str
    text: str
    html: str
    picture: bool
    widget: bool


@dataclass(frozen=True)
class Cell:
    """A cell as the notebook's model has it; count: its number in the order of running, None before."""

    type: str
    source: str
    count: int | None
    running: bool
    outputs: tuple[Output, ...]

    @property
    def says(self) -> str:
        """Everything that the cell shows, as text: HTML with its tags."""
        return "\n".join(output.html or output.text for output in self.outputs)

    @property
    def name(self) -> str:
        """The number and the first line, for a message."""
        first = next(iter(self.source.splitlines()), "")
        return f"In [{self.count or ' '}]: {first}"


class Notebook:
    """A notebook by its path; every method brings its tab to the front before it presses or clicks."""

    def __init__(self, page, path: str) -> None:
        self.page, self.path = page, path
        page.wait_for_function("path => course.ready(path)", arg=path, timeout=60 * SECOND)
        self.id = page.evaluate("path => course.panel(path).id", path)
        self.begun = [path, 0]  # the path, and how many cells the kernel had run when the latest ones were begun

    # --- looking

    def cells(self) -> list[Cell]:
        """Return every cell, text cells too."""
        found = self.page.evaluate("path => course.cells(path)", self.path)
        return [Cell(**{**cell, "outputs": tuple(Output(**output) for output in cell["outputs"])}) for cell in found]

    def number(self, text: str) -> int:
        """Return the place of the one cell whose source contains the text."""
        places = [i for i, cell in enumerate(self.cells()) if text in cell.source]
        assert len(places) == 1, f"{self.path}: {len(places)} cells contain {text!r}, expected one"
        return places[0]

    def cell(self, text: str) -> Cell:
        """Return the one cell whose source contains the text."""
        return self.cells()[self.number(text)]

    def element(self, text: str):
        """Return the cell's element in the page."""
        return self.page.locator(f"#{self.id} .jp-Cell").nth(self.number(text))

    def failed(self) -> list[str]:
        """Return for each cell that ended in an error its name and the error."""
        cells = [(cell, output) for cell in self.cells() for output in cell.outputs if output.kind == "error"]
        return [f"{self.path}, {cell.name}: {output.text}" for cell, output in cells]

    def photograph(self, name: str) -> None:
        """Keep a picture of the first cell that failed, or of the notebook's top."""
        self.show()
        cells = self.cells()
        place = next((i for i, cell in enumerate(cells) if any(o.kind == "error" for o in cell.outputs)), 0)
        self.page.locator(f"#{self.id} .jp-Cell").nth(place).scroll_into_view_if_needed()
        KEPT.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=KEPT / f"{name}.png")

    # --- doing

    def show(self) -> None:
        """Bring the notebook's tab to the front."""
        self.page.locator(f'.lm-DockPanel-tabBar [data-id="{self.id}"]').click()

    def menu(self, *names: str) -> None:
        """Choose an entry of a menu by the words that it shows."""
        self.show()
        for name in names:
            self.page.get_by_role("menuitem", name=name, exact=True).click()

    def select(self, text: str):
        """Click on the prompt beside a cell, as one does to run it; return the cell's element, which has the focus."""
        self.show()
        element = self.element(text)
        element.scroll_into_view_if_needed()
        prompt = element.locator(".jp-InputArea-prompt")
        if prompt.is_visible():  # a collapsed cell has none
            prompt.click()
        element.focus()  # from a control of its own output, a click leaves the focus there
        self.page.wait_for_function("cell => cell.matches('.jp-mod-active')", arg=element.element_handle())
        return element

    def begin(self, text: str) -> None:
        """Run a cell with Shift+Enter and do not wait for its end."""
        self.select(text)
        self._mark()
        self.page.keyboard.press("Shift+Enter")

    def run(self, text: str, seconds: float = 120) -> Cell:
        """Run a cell with Shift+Enter; return it when nothing runs any more."""
        self.begin(text)
        self.wait(seconds)
        return self.cell(text)

    def begin_all(self) -> None:
        """Choose Run > Run All Cells and do not wait for the end."""
        self._mark()
        self.menu("Run", "Run All Cells")

    def run_above(self, text: str, seconds: float = 300) -> None:
        """Choose Run > Run All Above Selected Cell."""
        self.select(text)
        self._mark()
        self.menu("Run", "Run All Above Selected Cell")
        self.wait(seconds)

    def is_done(self) -> bool:
        """Whether what was begun has ended."""
        return self.page.evaluate(DONE, self.begun)

    def wait(self, seconds: float = 120) -> None:
        """Wait until what was begun has ended."""
        self.page.wait_for_function(DONE, arg=self.begun, timeout=seconds * SECOND)

    def wait_for_picture(self, text: str, seconds: float = 120) -> None:
        """Wait until a cell that runs shows a picture."""
        what = "([path, place]) => course.cells(path)[place].outputs.some((output) => output.picture)"
        self.page.wait_for_function(what, arg=[self.path, self.number(text)], timeout=seconds * SECOND)

    def write(self, text: str, code: str) -> None:
        """Put code in place of what a cell holds, by keyboard."""
        self.show()
        editor = self.element(text).locator(".cm-content")
        editor.scroll_into_view_if_needed()
        editor.click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(code)

    def append(self, text: str, code: str) -> Cell:
        """Add a cell below one, with B, and run it."""
        self.select(text)
        self.page.keyboard.press("b")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(code)
        return self.run(code)

    def interrupt(self) -> None:
        """Press the square in the toolbar."""
        self._tool("interrupt")

    def restart(self) -> None:
        """Press the toolbar's arrow, say yes, and wait for the new kernel."""
        self._tool("restart")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.page.locator(".jp-Dialog").wait_for(state="detached")
        self.page.wait_for_function("path => course.ready(path)", arg=self.path, timeout=60 * SECOND)

    def close(self) -> None:
        """Save the notebook, end its kernel, close its tab."""
        self.page.evaluate(
            "async path => { const panel = course.panel(path); await panel.context.save();"
            " await panel.sessionContext.shutdown(); panel.dispose(); delete course.executed[path]; }",
            self.path,
        )

    def _tool(self, name: str) -> None:
        self.show()
        self.page.locator(f'#{self.id} [data-jp-item-name="{name}"]').click()

    def _mark(self) -> None:
        self.begun = [self.path, self.page.evaluate("path => course.executed[path]", self.path)]
