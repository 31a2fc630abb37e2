"""An explorer in a notebook: its controls, moved by the keyboard alone, and the picture that answers."""

import itertools
from dataclasses import dataclass

from browser.notebook import SECOND

SLIDERS = ("range", "slider")


@dataclass(frozen=True)
class Control:
    """A control as the page has it; ends: it can go no further up; guess: it belongs to the prediction."""

    place: int
    name: str
    kind: str
    ends: bool
    guess: bool
    disabled: bool

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that move it."""
        if self.kind == "select":  # closed, its arrow keys are JupyterLab's own: they leave the cell
            return "Space", "ArrowUp" if self.ends else "ArrowDown", "Enter"
        if self.kind in SLIDERS:
            return ("ArrowLeft",) if self.ends else ("ArrowRight",)
        return ("Space",)

    @property
    def to_and_fro(self) -> tuple[str, ...]:
        """The key that moves it, and for a slider the one that undoes this."""
        undo = {"ArrowLeft": "ArrowRight", "ArrowRight": "ArrowLeft"}
        return (*self.keys, *(undo[key] for key in self.keys if key in undo))


class Explorer:
    """root: the element that holds the controls and the picture."""

    def __init__(self, page, root) -> None:
        self.page, self.root = page, root
        root.scroll_into_view_if_needed()

    def controls(self) -> list[Control]:
        """Return the controls that are to be seen, in the order of the page."""
        found = self.root.evaluate("root => course.controls(root).map(course.describe)")
        return [Control(place, **each) for place, each in enumerate(found)]

    def control(self, *names: str) -> Control:
        """Return the first control that has one of the names; without names the first slider."""
        every = self.controls()
        found = [c for c in every if (c.name in names if names else c.kind in SLIDERS)]
        assert found, f"no control {' or '.join(names or SLIDERS)} among {[c.name for c in every]}"
        return found[0]

    def look(self) -> tuple[str, str]:
        """Return what the picture is made of, and what controls and texts say."""
        self.page.wait_for_function("root => course.picture(root) !== null", arg=self.root.element_handle())
        return tuple(self.root.evaluate("root => [course.picture(root), course.words(root)]"))

    def focus(self, control: Control) -> None:
        """Put the keyboard's focus on a control."""
        self.root.evaluate("(root, place) => course.controls(root)[place].focus()", control.place)

    def move(self, control: Control, typed: str = "") -> None:
        """Move a control by the keyboard; a text control gets what is typed, and Enter."""
        self.focus(control)
        if control.kind in ("text", "textarea"):
            self.page.keyboard.press("ControlOrMeta+A")
            self.page.keyboard.insert_text(typed)
            self.page.keyboard.press("Enter")
        else:
            for key in control.keys:
                self.page.keyboard.press(key)

    def wait_for_change(self, before: tuple[str, str], quiet: bool, what: str, seconds: float = 10) -> None:
        """Wait until the picture is another one; or, where a control may keep it, until anything is."""
        from playwright.sync_api import TimeoutError  # which a machine without a browser need not have

        picture = "![picture, null].includes(course.picture(root))"
        anything = f"({picture} || course.words(root) !== words)" if quiet else picture
        another = f"([root, picture, words]) => {anything}"
        try:
            self.page.wait_for_function(another, arg=[self.root.element_handle(), *before], timeout=seconds * SECOND)
        except TimeoutError:
            raise AssertionError(f"{what}: {'nothing' if quiet else 'no picture'} changed in {seconds:.0f} s") from None

    def times(self, control: Control, moves: int) -> list[float]:
        """Move a control to and fro; return the milliseconds from each key to the changed picture, in order of size."""
        self.root.evaluate("root => course.time(root)")
        self.focus(control)
        for done, key in enumerate(itertools.islice(itertools.cycle(control.to_and_fro), moves)):
            self.page.keyboard.press(key)
            self.page.wait_for_function("done => course.times.length > done", arg=done)
        self.root.evaluate("() => course.stop()")
        return sorted(self.page.evaluate("course.times"))

    def hurry(self, control: Control, moves: int) -> None:
        """Move a control to and fro without waiting for the picture, as one does who plays with it."""
        self.focus(control)
        for key in itertools.islice(itertools.cycle(control.to_and_fro), moves):
            self.page.keyboard.press(key)

    def come_to_rest(self) -> None:
        """Wait until the kernel has answered everything that the controls have sent."""
        self.root.evaluate("root => course.answered(root)")

    def reached_by_tab(self, most: int = 60) -> set[int]:
        """Go through the explorer with Tab, and back with Shift+Tab; return the places that the focus stood on."""
        seen: set[int] = set()
        where = "root => [root.contains(document.activeElement), course.controls(root).indexOf(document.activeElement)]"
        for key in ("Tab", "Shift+Tab"):
            been = False
            for _ in range(most):
                self.page.keyboard.press(key)
                inside, place = self.root.evaluate(where)
                if been and not inside:
                    break
                been |= inside
                seen |= {place} - {-1}
        return seen
