"""Pictures of chapter 17: questions and answers, tokens and what is learned of them, scores, thin matrices, sizes."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.chapters.ch17_chat.sizes import Published
from course_lib.chat.questions import FAMILIES, Question
from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, PALE, TEAL, TEXT
from course_lib.evaluation.calibration import Calibration
from course_lib.evaluation.proportions import wilson_interval

MARKS = {"right": "✓", "wrong": "✗"}
LOOKS = ((MUTE, "o"), (TEAL, "s"), (BLUE, "D"), (ORANGE, "^"))  # of arms, the last one the chapter's own


def plain(text: str, width: int, lines: int = 3) -> str:
    """Return a text as a picture can hold it: line ends visible, wrapped, cut off after some lines."""
    shown = text.replace("\n", "⏎").replace("$", r"\$")
    wrapped = textwrap.wrap(shown, width) or ["(nothing)"]
    return "\n".join([*wrapped[: lines - 1], wrapped[lines - 1] + " …"] if len(wrapped) > lines else wrapped)


def _table(ax: Axes, rows: Sequence[Sequence[str]], at: Sequence[float], colours: Sequence[Sequence[str]]) -> None:
    """Write rows of texts, each column at its place in 0 … 1, the first row a heading."""
    lines = [max(text.count("\n") + 1 for text in row) for row in rows]
    top = 0.0
    for row, height, shades in zip(rows, lines, colours, strict=True):
        for text, x, colour in zip(row, at, shades, strict=True):
            weight = "bold" if top == 0 else "normal"
            ax.text(x, -top, text, va="top", fontsize=9, color=colour, fontweight=weight, linespacing=1.25)
        top += height + 0.55
        ax.axhline(-top + 0.4, color="#DDDDDD", linewidth=0.8)
    ax.set(xlim=(0, 1), ylim=(-top + 0.3, 0.2), xticks=(), yticks=())
    ax.spines[:].set_visible(False)


def answers(asked: Sequence[Question], given: Mapping[str, Sequence[str]], right: Mapping[str, Sequence[bool]],
            finding: str, width: int = 34) -> Figure:  # fmt: skip
    """Return a table: questions, and what each model said, with ✓ where the program takes it for right."""
    rows = [["", *given]]
    colours = [[INK] * (1 + len(given))]
    for i, question in enumerate(asked):
        good = [bool(right[name][i]) for name in given]
        marks = [MARKS["right" if is_good else "wrong"] for is_good in good]
        said = [f"{mark} {plain(given[name][i], width)}" for mark, name in zip(marks, given, strict=True)]
        rows.append([plain(question.text, 30), *said])
        colours.append([INK, *[TEXT[TEAL] if is_good else TEXT[BERRY] for is_good in good]])
    height = sum(max(text.count("\n") + 1 for text in row) + 0.55 for row in rows)
    figure, ((ax,),) = figures.new(height=0.19 * height + 0.5)
    _table(ax, rows, [0, *np.linspace(0.29, 1, len(given) + 1)[:-1]], colours)
    figures.title(ax, finding)
    return figure


SOURCES = {"define": "book", "rhyme": "book", "spell": "book"}


def families(asked: Sequence[Question]) -> Figure:
    """Return a table of one question a family: the family, the question, a right answer, and what it takes."""
    rows = [["family", "a test question", "one right answer", "its answer"]]
    colours = [[INK] * 4]
    for question in asked:
        source = "stands in a book" if question.family in SOURCES else "can be worked out"
        rows.append([question.family, plain(question.text, 44, 2), plain(question.answer, 34, 2), source])
        colours.append([INK, INK, TEXT[BLUE], TEXT[TEAL] if source.startswith("stands") else TEXT[ORANGE]])
    height = sum(max(text.count("\n") + 1 for text in row) + 0.55 for row in rows)
    figure, ((ax,),) = figures.new(height=0.19 * height + 0.5)
    _table(ax, rows, (0, 0.11, 0.51, 0.85), colours)
    figures.title(ax, "Three families ask what stands in a book, seven what can be worked out")
    return figure


def _said(token: str) -> str:
    """Return a token as it fits a box: roles shortened, a lone space visible."""
    return {"<assistant>": "<assist>", " ": "␣"}.get(token, token.strip())


def tokens_and_targets(read: Sequence[str], asked: Sequence[str | None]) -> Figure:
    """Return a conversation's tokens, what each position reads above what it is asked for; None asks nothing."""
    figure, ((ax,),) = figures.new(height=1.9)
    for x, (above, below) in enumerate(zip(read, asked, strict=True)):
        special = above.startswith("<")
        ax.add_patch(
            Rectangle((x, 1.1), 0.94, 0.8, facecolor="#DCE7FF" if special else "white", edgecolor=INK, linewidth=0.8)
        )
        ax.text(x + 0.47, 1.5, _said(above), ha="center", va="center", fontsize=6.5 if special else 8)
        hatch, face, edge = ("////", PALE, "#C4C4C4") if below is None else ("", "#FAE6D6", INK)
        ax.add_patch(Rectangle((x, 0), 0.94, 0.8, facecolor=face, hatch=hatch, edgecolor=edge, linewidth=0.8))
        if below is not None:
            size = 6.5 if below.startswith("<") else 8
            ax.text(x + 0.47, 0.4, _said(below), ha="center", va="center", fontsize=size)
    ax.set(xlim=(0, len(read)), ylim=(-0.1, 2), xticks=(), yticks=(0.4, 1.5))
    ax.set_yticklabels(["asked for", "read"])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    learned = sum(below is not None for below in asked)
    figures.title(ax, f"{learned} of {len(read)} positions are asked for something: the answer, and its end")
    return figure


def curves(evaluated: Sequence[float], arms: Mapping[str, Sequence[Sequence[float]]], live: Mapping[float, float],
           finding: str) -> Figure:  # fmt: skip
    """Return each arm's five recorded curves and the live run's beginning as diamonds; the last arm is drawn solid."""
    figure, ((ax,),) = figures.new(height=3.2)
    for i, (name, rows) in enumerate(arms.items()):
        colour = ORANGE if i == len(arms) - 1 else MUTE
        for j, row in enumerate(rows):
            figures.line(ax, evaluated, row, colour, name if j == 0 else "")
    ax.plot(list(live), list(live.values()), "D", color=INK, markersize=5, zorder=5)
    ax.annotate(
        "live", (list(live)[-1], list(live.values())[-1]), xytext=(6, 4), textcoords="offset points", fontsize=9
    )
    ax.set(
        xlabel="training step",
        ylabel="training loss (nats a token)",
        xlim=(0, 1.2 * max(evaluated)),
        xticks=np.linspace(0, max(evaluated), 5),
        yscale="log",
    )
    ax.set_yticks((0.1, 0.3, 1, 3), ("0.1", "0.3", "1", "3"))
    ax.minorticks_off()
    figures.title(ax, finding)
    return figure


def scores(
    arms: Mapping[str, Sequence[Sequence[int]]], n: int, finding: str, constant: Mapping[str, float] | None = None
) -> Figure:
    """Return each family's share right, a mark for each seed, and the Wilson interval of the middle one.

    arms: name → rows of right answers, one a seed, a family each, of n questions; −1 where a family was not asked.
    constant: family → the share right of who always gives one answer, where it is worth a line.
    """
    figure, ((ax,),) = figures.new(height=5.2)
    offsets = np.linspace(0.3, -0.3, len(arms))
    for (name, rows), (colour, marker), shift in zip(arms.items(), LOOKS[-len(arms) :], offsets, strict=True):
        counts = np.asarray(rows)
        for j in range(len(FAMILIES)):
            if counts[:, j].min() < 0:
                continue
            y = -j + shift
            middle = int(np.sort(counts[:, j])[len(counts) // 2])
            ax.plot(wilson_interval(middle, n), [y, y], color=colour, linewidth=1.1)
            ax.plot(counts[:, j] / n, [y] * len(counts), marker, color=colour, markersize=4, alpha=0.85)
        ax.plot([], [], marker, color=colour, label=name, markersize=6)
    for j in range(1, len(FAMILIES)):
        ax.axhline(-j + 0.5, color="#DDDDDD", linewidth=0.8)
    if constant:
        for family, share in constant.items():
            j = FAMILIES.index(family)
            ax.plot([share] * 2, [-j - 0.4, -j + 0.4], color=INK, linewidth=1.4, linestyle=":")
        ax.plot([], [], color=INK, linewidth=1.4, linestyle=":", label="one answer for all")
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.set_yticks([-j for j in range(len(FAMILIES))], FAMILIES)
    ax.set(xlim=(-0.02, 1.02), ylim=(-len(FAMILIES) + 0.5, 0.5))
    ax.set_xlabel(f"share of {n} test questions right: a mark a seed, the line a 95 % interval of the middle one")
    figures.title(ax, finding)
    return figure


def adapters(ranks: Sequence[int], parameters: Sequence[int], shares: Mapping[str, Sequence[Sequence[float]]],
             full: Mapping[str, tuple[int, Sequence[float]]], findings: Sequence[str],
             before: float | None = None) -> Figure:  # fmt: skip
    """Return a panel for each quantity: five seeds at each rank against the trained parameters, full tuning at the end.

    shares: quantity → a row of seeds for each rank; full: quantity → (parameters, seeds); before: the second quantity's
    level before tuning. A share has its axis from 0.
    """
    figure, (axes,) = figures.new(1, len(shares), height=3.2)
    for ax, (what, rows), finding in zip(axes, shares.items(), findings, strict=True):
        for rank, count, row in zip(ranks, parameters, rows, strict=True):
            ax.plot([count] * len(row), row, "D", color=BLUE, markersize=4, fillstyle="none")
            ax.annotate(
                f"r {rank}", (count, max(row)), xytext=(0, 5), textcoords="offset points", fontsize=8.5, ha="center"
            )
        figures.line(ax, parameters, [float(np.mean(row)) for row in rows], BLUE)
        count, row = full[what]
        ax.plot([count] * len(row), row, "^", color=ORANGE, markersize=4.5)
        ax.annotate("all", (count, max(row)), xytext=(0, 5), textcoords="offset points", fontsize=8.5, ha="center")
        ax.set(xscale="log", xlabel="parameters that are trained", ylabel=what)
        ax.margins(y=0.18)
        if what.startswith("share"):
            ax.set_ylim(0, 0.7)
        elif before is not None:
            figures.level(ax, before, "before")
            ax.margins(y=0.18)
        figures.title(ax, finding)
    return figure


def cheap(temperatures: Sequence[float], by_temperature: Sequence[Sequence[float]], votes: Sequence[int],
          by_votes: Sequence[Sequence[float]], greedy: float, findings: Sequence[str]) -> Figure:  # fmt: skip
    """Return the share right against the temperature, and of the number families against how many answers vote.

    by_temperature, by_votes: a row a seed; greedy: the number families' mean share at temperature 0.
    """
    figure, ((left, right),) = figures.new(1, 2, height=3.0)
    for row in by_temperature:
        left.plot(temperatures, row, "^-", color=ORANGE, markersize=4, linewidth=1)
    left.set(xlabel="temperature τ", ylabel="share right, all families", ylim=(0, 1.02))
    for row in by_votes:
        right.plot(range(len(votes)), row, "^-", color=ORANGE, markersize=4, linewidth=1)
    figures.level(right, greedy, "")
    right.text(0, greedy + 0.06, "one answer at τ = 0, mean", color=MUTE, fontsize=9)
    right.set_xticks(range(len(votes)), [str(n) for n in votes])
    right.set(xlabel="answers that vote", ylabel="share right, numbers", ylim=(0, 1.02))
    for ax, finding in zip((left, right), findings, strict=True):
        figures.title(ax, finding)
    return figure


def reliability(found: Calibration, kinds: Mapping[str, tuple], findings: Sequence[str]) -> Figure:
    """Return the share right against the confidence, bin by bin, and the confidence with an answer and without.

    kinds: family → mean confidence, one a seed, of questions that have an answer, and of others.
    """
    figure, ((left, right),) = figures.new(1, 2, height=3.3)
    left.plot([0, 1], [0, 1], color=MUTE, linestyle="--", linewidth=1.2)
    left.text(0.24, 0.15, "calibrated", color=MUTE, fontsize=9)
    kept = figures.values(found.count) > 0
    x, y = figures.values(found.confidence)[kept], figures.values(found.right)[kept]
    left.plot(x, y, color=ORANGE, linewidth=1.2)
    sizes = 14 + 120 * figures.values(found.count)[kept] / max(1, int(found.count.sum()))
    left.scatter(x, y, s=sizes, color=ORANGE, marker="^", zorder=3)
    left.set(xlabel="confidence: probability of the answer", ylabel="share right", xlim=(0, 1.02), ylim=(0, 1.02))
    for i, (known, never) in enumerate(kinds.values()):
        for place, values, colour, marker in ((i - 0.12, known, BLUE, "o"), (i + 0.12, never, BERRY, "s")):
            seeds = figures.values(values)
            right.plot([place] * len(seeds), seeds, marker, color=colour, markersize=5, fillstyle="none")
    for name, colour, marker in (("with an answer", BLUE, "o"), ("without one", BERRY, "s")):
        right.plot([], [], marker, color=colour, fillstyle="none", label=name)
    right.set_xticks(range(len(kinds)), list(kinds))
    right.set(ylabel="mean confidence, a mark a seed", ylim=(0, None), xlim=(-0.5, len(kinds) - 0.5))
    right.legend(frameon=False, fontsize=9)
    for ax, finding in zip((left, right), findings, strict=True):
        figures.title(ax, finding)
    return figure


def patients(asked: Sequence[Question], given: Mapping[str, Sequence[str]],
             found: Mapping[str, Mapping], steps: Sequence[int]) -> Figure:  # fmt: skip
    """Return what each patient says to the same questions, above its two losses against the training step.

    found: patient → "training" and "held out", its losses, and of all "asked" the shares "right" and "ended".
    """
    figure, (top, below) = figures.new(2, len(given), height=5.6, height_ratios=(1.7, 1))
    for ax, bars, (name, said) in zip(top, below, given.items(), strict=True):
        text = "\n\n".join(f"{plain(q.text, 38, 2)}\n  → {plain(a, 36, 3)}" for q, a in zip(asked, said, strict=True))
        ax.text(0, 1, text, va="top", fontsize=8, family="monospace", linespacing=1.15)
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=(), yticks=())
        ax.spines[:].set_visible(False)
        right, ended = (round(found[name]["asked"] * found[name][key]) for key in ("right", "ended"))
        figures.title(ax, f"{name}: {right} of {found[name]['asked']} right, {ended} end")
        for kind, colour in (("training", INK), ("held out", BERRY)):
            figures.line(bars, steps, found[name][kind], colour, dashed=colour == BERRY)
            bars.plot([], [], color=colour, linestyle="--" if colour == BERRY else "-", label=kind)
        bars.set(xlabel="training step", xlim=(0, None), ylim=(0, 1.6))
    below[0].legend(frameon=False, fontsize=9)
    below[0].set_ylabel("nats a learned token")
    return figure


def how_far(own: Mapping[str, float], published: Sequence[Published], finding: str) -> Figure:
    """Return parameters, tokens and operations of published models and of this chapter's, on logarithmic axes."""
    figure, (axes,) = figures.new(1, 3, height=3.0)
    rows = [*[(each.name, each.parameters, each.tokens, each.worked_out) for each in published],
            ("this chapter", own["parameters"], own["tokens"], 6 * own["parameters"] * own["tokens"])]  # fmt: skip
    for k, (ax, what) in enumerate(zip(axes, ("parameters at work", "tokens read", "operations, 6 N D"), strict=True)):
        for i, row in enumerate(rows):
            colour, marker = (ORANGE, "^") if row[0] == "this chapter" else (BLUE, "o")
            ax.plot([row[1 + k]], [-i], marker, color=colour, markersize=7)
            ax.axhline(-i, color="#DDDDDD", linewidth=0.8, zorder=0)
        ax.set_yticks([-i for i in range(len(rows))], [row[0] for row in rows] if k == 0 else [""] * len(rows))
        ax.set(xscale="log", xlabel=what, ylim=(-len(rows) + 0.4, 0.6))
        ax.tick_params(axis="y", length=0)
    figures.title(axes[0], finding)
    return figure
