"""The chat box of chapter 17 as a picture, for a page on which nothing moves."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.classroom import figures
from course_lib.classroom.figures import INK, MUTE, ORANGE, WEIGHTS

WIDE, NAME, CHIP, ROWS = 90, 15, 5, 4  # characters on a line, for who speaks, on a chip at least; rows of chips
SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥"}


def visible(text: str) -> str:
    """Return a token so that its spaces and ends of lines can be seen."""
    return "".join(SIGNS.get(sign, sign) for sign in text) or "∅"


def plain(text: str) -> str:
    """Return a text in signs that the figure's letters have: Latin ones, and those of ``visible``."""
    return "".join(sign if (sign.isprintable() and ord(sign) < 0x250) or sign in "␣⏎⇥∅⟨⟩" else "·" for sign in text)


def drawn(exchanges: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> Figure:
    """Return the conversation with one answer's tokens, and what could have come in the place of one of them.

    found: what ``compute`` of the explorer returns.
    """
    figure, ((left, right),) = figures.new(1, 2, width_ratios=(1.9, 1))
    lines = _draw_talk(left, exchanges, found)
    figure.set_figheight(max(3.0, 0.24 * lines + 0.5))
    _draw_bars(right, exchanges[found["turn"]]["tokens"][found["token"]], found["near"])
    return figure


def _draw_talk(ax: Axes, exchanges: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> float:
    """Write who said what, and the tokens of the answer in focus with their probabilities; return the lines."""
    y = 0.5
    for i, each in enumerate(exchanges):
        for who, text in (("you", each["question"]), (each["stage"], each["answer"])):
            ax.text(0, y, who, fontsize=9, fontweight="bold", va="center", color=INK)
            rows = textwrap.wrap(plain(" ".join(text.split())), 62, max_lines=3, placeholder=" …") or [""]
            for row, words in enumerate(rows):
                ax.text(NAME, y + row, words, fontsize=9, va="center", family="monospace", color=INK, parse_math=False)
            y += len(rows)
        if i == found["turn"]:
            y = _draw_chips(ax, y + 0.3, each["tokens"], found)
        y += 0.7
    lines = max(y, 10)
    ax.set(xlim=(0, WIDE), ylim=(lines, 0))
    ax.set_axis_off()
    for written in ax.texts:
        written.set_in_layout(False)  # or what is long makes the axes narrow
    chosen, least = exchanges[found["turn"]], found["least"]
    unsure = f"{plain(visible(chosen['tokens'][least]['text']))}’, {found['shares'][least]:.2f}"
    figures.title(ax, f"{chosen['stage']} was least sure of ‘{unsure}")
    return lines


def _draw_chips(ax: Axes, y: float, tokens: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> float:
    """Draw tokens as boxes of their colour, four rows at most; return where the next line begins."""
    x, rows = 0.0, 1
    for i, (each, share) in enumerate(zip(tokens, found["shares"], strict=True)):
        text = plain(visible(each["text"]))
        wide = max(CHIP, len(text) + 1) + 0.8
        if x + wide > WIDE:
            x, y, rows = 0.0, y + 2.2, rows + 1
        if rows > ROWS:
            return y
        written = each["p"] is None
        fill, edge = ("white", "--") if written else (WEIGHTS(share), "-")
        box = Rectangle((x, y - 0.4), wide - 0.6, 1.9, facecolor=fill, edgecolor=INK, linestyle=edge)
        box.set_linewidth(2.4 if i == found["token"] else 0.6)
        ax.add_patch(box)
        number = "loop" if written else "<0.01" if share < 0.005 else f"{share:.2f}"
        middle: dict[str, Any] = {"ha": "center", "va": "center", "color": INK if written else figures.ink_on(share)}
        ax.text(x + wide / 2 - 0.3, y + 0.1, text, fontsize=8, family="monospace", parse_math=False, **middle)
        ax.text(x + wide / 2 - 0.3, y + 1, number, fontsize=7.5, **middle)
        x += wide
    return y + 2.2


def _draw_bars(ax: Axes, own: Mapping[str, Any], near: Sequence[Sequence[Any]]) -> None:
    """Draw the odds of what could have come: dashed the model's own, orange under the knobs; the drawn one marked."""
    rows = range(len(near))
    ax.barh(rows, [p for _, p, _ in near], 0.8, color="white", edgecolor=MUTE, linestyle="--")
    ax.barh(rows, [chance for _, _, chance in near], 0.4, color=ORANGE)
    for row, (_, p, chance) in enumerate(near):
        ax.text(1.03, row, f"{p:.3f} → {chance:.3f}", va="center", fontsize=8.5, color=INK)
    names = [("▸ " if text == own["text"] else "") + plain(visible(text)) for text, _, _ in near]
    ax.set_yticks(rows, names, family="monospace", parse_math=False)
    ax.set(xlim=(0, 1.5), xticks=(0, 0.5, 1), xlabel="probability\n- - the model’s   ▬ under the knobs")
    ax.invert_yaxis()
    others = [text for text, _, _ in near if text != own["text"]][:1]
    had = "was written by the loop" if own["p"] is None else f"had {own['p']:.2f}"
    next_to = f"; next to it ‘{plain(visible(others[0]))}’" if others else ""
    figures.title(ax, f"‘{plain(visible(own['text']))}’ {had}{next_to}")
