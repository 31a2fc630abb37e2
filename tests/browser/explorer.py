"""An explorer in a notebook: its controls, moved by the keyboard alone, and the picture that answers."""

from dataclasses import dataclass

from browser.notebook import SECOND

KEYS = {"checkbox": "Space", "button": "Space"}  # Enter on a button of ipywidgets is JupyterLab's own key
ALL = "input:not([type=hidden]), select, textarea, button, [role=slider]"


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
    def key(self) -> str:
        """The key that moves it."""
        if self.kind == "select":
            return "ArrowUp" if self.ends else "ArrowDown"
        return KEYS.get(self.kind) or ("ArrowLeft" if self.ends else "ArrowRight")


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
        sliders = ("range", "slider")
        return next(c for c in self.controls() if (c.name in names if names else c.kind in sliders))

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
            self.page.keyboard.press(control.key)

    def wait_for_change(self, before: tuple[str, str], quiet: bool, what: str, seconds: float = 10) -> None:
        """Wait until the picture is another one, or, where it keeps quiet, until a control or a text is."""
        from playwright.sync_api import TimeoutError  # which a machine without a browser need not have

        looks, was = ("course.words(root)", before[1]) if quiet else ("course.picture(root)", before[0])
        another = f"([root, before]) => ![before, null].includes({looks})"
        try:
            self.page.wait_for_function(another, arg=[self.root.element_handle(), was], timeout=seconds * SECOND)
        except TimeoutError:
            raise AssertionError(f"{what}: {'nothing' if quiet else 'no picture'} changed in {seconds:.0f} s") from None

    def times(self, control: Control, moves: int) -> list[float]:
        """Move a control to and fro; return the milliseconds from each key to the changed picture, in order of size."""
        self.root.evaluate("root => course.time(root)")
        self.focus(control)
        keys = [control.key] if control.kind == "button" else [control.key, opposite(control.key)]
        for done in range(moves):
            self.page.keyboard.press(keys[done % len(keys)])
            self.page.wait_for_function("done => course.times.length > done", arg=done)
        self.root.evaluate("() => course.stop()")
        return sorted(self.page.evaluate("course.times"))

    def hurry(self, control: Control, moves: int) -> None:
        """Move a control to and fro without waiting for the picture, as one does who plays with it."""
        self.focus(control)
        keys = [control.key] if control.kind == "button" else [control.key, opposite(control.key)]
        for done in range(moves):
            self.page.keyboard.press(keys[done % len(keys)])

    def come_to_rest(self) -> None:
        """Wait until the kernel has answered everything that the controls have sent."""
        self.root.evaluate("root => course.answered(root)")

    def reached_by_tab(self, most: int = 60) -> set[int]:
        """Press Tab from the cell above until the focus leaves the explorer; return the places that it stood on."""
        seen: set[int] = set()
        for _ in range(most):
            self.page.keyboard.press("Tab")
            inside, place = self.root.evaluate(
                "root => [root.contains(document.activeElement), course.controls(root).indexOf(document.activeElement)]"
            )
            if seen and not inside:
                break
            if place >= 0:
                seen.add(place)
        return seen


def opposite(key: str) -> str:
    """Return the arrow key that undoes another one."""
    pairs = {"ArrowLeft": "ArrowRight", "ArrowUp": "ArrowDown"}
    return (pairs | {undo: key for key, undo in pairs.items()})[key]
