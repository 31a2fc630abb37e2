"""Pictures of chapter 05: both tables, curves over their rivals, the ladder, ways to measure, the cache."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import Tensor

from course_lib.attention.transformer import Transformer
from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, PALE, TEAL, TEXT
from course_lib.datasets.text import Text


def tables(panels: Mapping[str, Mapping[str, float | Sequence[float]]], low: float, high: float) -> Figure:
    """Return a panel for each table: bits by name, best last; one number is a rival's, several are a model's seeds."""
    figure, (axes,) = figures.new(1, len(panels), width=9.5, height=3.2)
    for ax, (heading, rows) in zip(axes, panels.items(), strict=True):
        seeds = {name: list(bits) if isinstance(bits, Sequence) else [bits] for name, bits in rows.items()}
        means = {name: sum(bits) / len(bits) for name, bits in seeds.items()}
        names = sorted(means, key=means.__getitem__)
        for y, name in enumerate(names):
            bits, of_model = seeds[name], len(seeds[name]) > 1
            colour, style, mark = (ORANGE, "-", "^") if of_model else (MUTE, "--", "o")
            ax.plot([low, means[name]], [y, y], color=colour, linewidth=1.2, linestyle=style)
            ax.plot(bits, [y] * len(bits), mark, color=colour, markersize=6)
            ax.text(max(bits) + 0.03 * (high - low), y, f"{means[name]:.2f}", va="center", fontsize=9.5, color=INK)
        ax.set_yticks(range(len(names)), names)
        ax.set(xlim=(low, high), ylim=(-0.6, len(names) - 0.4), xlabel="bits per character of the test part")
        figures.title(ax, heading)
    return figure


def over_levels(
    recorded: Mapping[int, Sequence[float]], levels: Mapping[str, float], live: Mapping[int, float]
) -> Figure:
    """Return the recorded curves, step → bits of every seed, over rivals' levels, and one live run as diamonds."""
    figure, ((left, right),) = figures.new(1, 2, width=9.5, height=3.4)
    for ax, low, high in ((left, 1.9, 3.7), (right, 2.03, 2.2)):
        for name, level in levels.items():
            if low < level < high:  # letters alone lie above the picture
                figures.level(ax, level, f"{name} {level:.2f}")
        ax.plot(list(recorded), list(recorded.values()), color=ORANGE, linewidth=1.2)
        ax.plot(list(live), list(live.values()), "D", color=INK, markersize=5)
        ax.set(xlabel="training step", ylim=(low, high))
    left.set(ylabel="validation bits per character", xlim=(None, 1.15 * max(recorded)))  # room for the names
    right.set_xlim(0.62 * max(recorded), 1.06 * max(recorded))
    figures.title(right, "The end of the recorded runs")
    return figure


def singular_values(of_gradient: Tensor, after: Tensor) -> Figure:
    """Return a gradient's singular values, the largest set to 1, and what the polynomial makes of them."""
    figure, ((ax,),) = figures.new(width=6, height=2.7)
    ax.plot(figures.values(of_gradient / of_gradient[0]), color=MUTE, linestyle="--")
    ax.plot(figures.values(after), color=BERRY)
    ax.text(30, 0.24, "of G, the largest set to 1", color=MUTE, fontsize=9.5)
    ax.text(40, 1.25, "after five rounds", color=BERRY, fontsize=9.5)
    ax.set(xlabel="place in the order of size", ylabel="singular value", ylim=(0, 1.5))
    figures.title(ax, "Large singular values come near 1, the smallest stay small")
    return figure


def runs_to_tell(
    runs: Mapping[str, Sequence[tuple[Sequence[float], Sequence[float], str, str]]], level: float
) -> Figure:
    """Return a panel for each run: curves (steps, bits, style, label), over the level of the best counter."""
    figure, (axes,) = figures.new(1, len(runs), height=3.0)
    for ax, (name, curves) in zip(axes, runs.items(), strict=True):
        for steps, bits, style, label in curves:
            colour = {"-": INK, "--": BERRY, ":": MUTE}[style]
            ax.plot(steps, bits, style, color=colour, linewidth=1.8)
            ax.annotate(label, (steps[-1], bits[-1]), xytext=(4, 0), textcoords="offset points", va="center",
                        fontsize=9, color=colour, annotation_clip=False)  # fmt: skip
        figures.level(ax, level, "order 7")
        end = curves[0][0][-1]
        ax.set(xlim=(0, 1.28 * end), ylim=(-0.3, 6.5), xlabel="training step")
        figures.title(ax, f"run {name}")
    axes[0].set_ylabel("bits per character")
    return figure


def ladder(up: Sequence[Mapping], without: Mapping[str, Mapping]) -> Figure:
    """Return the rungs on the way up (▲, every seed), and the last recipe without one of them (○)."""
    figure, ((ax,),) = figures.new(width=9.5, height=5.2)
    for place, row in enumerate(reversed(up)):
        rows = [(row["bits"], 0.2, "^", ORANGE)]
        if row["name"] in without:
            rows.append((without[row["name"]]["bits"], -0.2, "o", BLUE))
        for bits, shift, mark, colour in rows:
            middle = sum(bits) / len(bits)
            ax.plot(bits, [place + shift] * len(bits), mark, color=colour, markersize=3.5, fillstyle="none")
            ax.plot([middle] * 2, [place + shift - 0.17, place + shift + 0.17], color=INK, linewidth=1.4)
        ax.axhline(place - 0.5, color=PALE, linewidth=1)
    last = up[-1]["bits"]
    figures.title(ax, "Twelve changes, one after the other (▲) and taken out alone (○)")
    ax.axvline(sum(last) / len(last), color=MUTE, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(up)), [row["name"] for row in reversed(up)])
    what = "bits per character of the validation part, each seed a mark, | their mean"
    marks = "▲ all changes up to this one     ○ the last recipe without this one     - - the last recipe"
    ax.set(xlabel=f"{what}\n{marks}")
    return figure


def _row(ax: Axes, y: float, name: str, parts: Sequence[tuple[float, float, str, str]]) -> None:
    """Draw a row of boxes (start, end, colour, hatch) with its name on the left."""
    ax.text(-0.3, y + 0.4, name, ha="right", va="center", fontsize=9.5, color=INK)
    for start, end, colour, hatch in parts:
        box = Rectangle((start, y), end - start, 0.8, facecolor=colour, edgecolor=INK, linewidth=0.8, hatch=hatch)
        ax.add_patch(box)


def ways_to_measure() -> Figure:
    """Return a diagram: windows side by side, windows that slide, and an update behind every window that slides."""
    figure, (axes,) = figures.new(1, 3, width=9.5, height=2.5)
    read, scored = (PALE, ""), ("#FAE6D6", "//")
    rows = {
        "windows": [[(0, 4, *scored)], [(4, 8, *scored)], [(8, 12, *scored)]],
        "sliding": [[(0, 4, *scored)], [(1, 4, *read), (4, 5, *scored)], [(2, 5, *read), (5, 6, *scored)]],
    }
    rows["learning on"] = [[(0, 4, *scored)], [(2, 4, *read), (4, 6, *scored)], [(4, 6, *read), (6, 8, *scored)]]
    for ax, (name, windows) in zip(axes, rows.items(), strict=True):
        for i, parts in enumerate(windows):
            _row(ax, -1.2 * i, "", parts)
            start, end, *_ = parts[-1]  # four wide is 128 characters
            scored_ones = f"{32 * start + 1}–{32 * end}"
            inside = end - start > 2
            at = ((start + end) / 2, 0.4 - 1.2 * i) if inside else (end + 0.2, 0.4 - 1.2 * i)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1} if inside else None
            ax.text(*at, scored_ones, ha="center" if inside else "left", va="center", fontsize=8.5, color=INK, bbox=box)
            if name == "learning on":
                arrow = FancyArrowPatch((12.9, 0.55 - 1.2 * i), (12.9, -0.4 - 1.2 * i), arrowstyle="-|>",
                                        mutation_scale=12, color=BERRY)  # fmt: skip
                ax.add_patch(arrow)
                ax.text(13.2, 0.1 - 1.2 * i, "update", color=BERRY, fontsize=9, va="center")
        ax.set(xlim=(-0.3, 16.3 if name == "learning on" else 12.3), ylim=(-3.2, 1.1))
        ax.set_axis_off()
        figures.title(ax, name)
    axes[0].text(
        0, -3.1, "▨ scored (which characters)    □ read, to be seen by what is scored", fontsize=9.5, color=INK
    )
    return figure


def cache() -> Figure:
    """Return a diagram of one layer's step: the new key and value go behind what is kept; one query meets all keys."""
    figure, ((ax,),) = figures.new(width=9.5, height=2.9)
    for y, name, colour, pale in ((1.2, "keys", ORANGE, "#FAE6D6"), (0.0, "values", TEAL, "#D6F2EA")):
        _row(ax, y, name, [(i, i + 0.9, pale, "") for i in range(7)])
        box = Rectangle((7, y), 0.9, 0.8, facecolor=pale, edgecolor=colour, linewidth=2.2)
        ax.add_patch(box)
        for i in range(8):
            ax.text(i + 0.45, y + 0.4, f"{name[0]}{i + 1}", ha="center", va="center", fontsize=9.5, color=TEXT[colour])
    _row(ax, 2.6, "query", [(7, 7.9, "#DCE7FF", "")])
    ax.text(7.45, 3.0, "q8", ha="center", va="center", fontsize=9.5, color=BLUE)
    for i in range(8):
        ax.add_patch(FancyArrowPatch((7.45, 2.6), (i + 0.45, 2.02), arrowstyle="-", linewidth=0.8, color=BERRY))
    ax.text(3.4, 3.0, "kept from the steps before", ha="center", va="center", fontsize=9.5, color=MUTE)
    ax.annotate("", (0, 2.75), (6.9, 2.75), arrowprops={"arrowstyle": "|-|", "color": MUTE, "mutation_scale": 3})
    says = ("position 8 alone goes through the model:", "its query meets 8 keys,", "its key and value are appended",
            "in each layer, 2 T C numbers stay")  # fmt: skip
    for line, text in enumerate(says):
        ax.text(8.4, 2.9 - 0.55 * line, text, va="center", fontsize=9.5, color=INK)
    ax.set(xlim=(-1.2, 13.2), ylim=(-0.2, 3.6))
    ax.set_axis_off()
    return figure


def sampling_explorer(model: Transformer, text: Text, prompt: str) -> object:
    """Return the explorer of temperature, top-k and top-p, or its words where there are no widgets."""
    alt = "Explorer of temperature, top-k, top-p: the next character's odds, and text written with them."
    try:
        from course_lib.chapters.ch05_language_model.explorer import SamplingExplorer
    except ImportError:
        return alt
    others = ["ROMEO:\nO, ", "To be, or not to b", "the q", "\n\n"]
    return SamplingExplorer(model, text, prompt, alt=alt, prompts=others)
