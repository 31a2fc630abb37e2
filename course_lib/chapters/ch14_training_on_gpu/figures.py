"""Drawings of chapter 14: times told and measured, the roof, profiles as bars, a device with and without waits."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.classroom import figures
from course_lib.training.roofline import ridge, roofline

TOLD = ("ms", "predicted_ms", "rule_ms")
FIRST, FOUR = 7, ("sound", "a", "b", "c")  # operators of a profile, and recorded profiles, that are drawn


def told(record: Mapping) -> Figure:
    """Draw the steps' recorded times against the width: measured, told before, and by the rule of thumb."""
    fig, (axes,) = figures.new(1, 2, height=3.6)
    for ax, name in zip(axes, ("float32", "bfloat16"), strict=True):
        rows = record[name]["rows"]
        widths = [row["width"] for row in rows]
        tokens = [row["batch"] * record["context"] for row in rows]
        of = {key: [1e3 * row[key] / n for row, n in zip(rows, tokens, strict=True)] for key in TOLD}
        ax.plot(widths, of["ms"], "o", color=figures.BLUE, markersize=8, label="measured")
        ax.plot(widths, of["predicted_ms"], "^-", color=figures.ORANGE, markersize=5, linewidth=1, label="told")
        ax.plot(widths, of["rule_ms"], "--", color=figures.MUTE, linewidth=1.3, label="6 N a token at the peak")
        ax.set(xscale="log", yscale="log", xlabel="width C", ylabel="microseconds a token of a step")
        ax.set_xticks([128, 256, 512, 1024], ["128", "256", "512", "1,024"])
        ax.minorticks_off()
        ax.set_ylim(3, 6000)
        off = max(abs(row["predicted_ms"] / row["ms"] - 1) for row in rows)
        figures.title(ax, f"{name}: told within {100 * off:.0f} %")
        ax.legend(frameon=False, fontsize=9, loc="upper left")
    return fig


def roof(points: Mapping[str, tuple[float, float]], peak: float, bandwidth: float) -> Figure:
    """Draw the roof with measured points; points: name → (operations a byte, operations a second)."""
    fig, ((ax,),) = figures.new(height=4.6)
    low, high = 0.5 * min(i for i, _ in points.values()), 3 * max(i for i, _ in points.values())
    corner = ridge(peak, bandwidth)
    at = [low, corner, 6 * max(high, 2 * corner)]
    ax.plot(at, [roofline(i, peak, bandwidth) for i in at], color=figures.INK, linewidth=2)
    ax.axvline(corner, color=figures.MUTE, linestyle="--", linewidth=1.1)
    ax.text(corner * 1.07, 1.3 * min(r for _, r in points.values()), f"ridge:\n{corner:.1f} a byte", color=figures.MUTE,
            fontsize=9.5)  # fmt: skip
    for name, (intensity, rate) in points.items():
        bound = intensity < corner
        colour, mark = (figures.BERRY, "s") if bound else (figures.BLUE, "o")
        ax.plot([intensity], [rate], mark, color=colour, markersize=8)
        above = name == "decoding step" or rate > 1.3 * roofline(intensity, peak, bandwidth)
        left = name == "softmax"  # decoding and a norm have nearly its intensity
        at_text = (-3 if left else 9, 7 if above else -12 if left else -5)
        ax.annotate(name, (intensity, rate), xytext=at_text, textcoords="offset points", fontsize=9.5,
                    color=figures.TEXT[colour], ha="right" if left else "left",
                    va="bottom" if above else "top")  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="operations for each byte moved", ylabel="operations a second")
    ax.set_xlim(low, at[2])
    figures.title(ax, f"The slope: {bandwidth / 1e9:,.0f} GB/s; the roof: matrix products, {peak / 1e9:,.0f} GFLOP/s")
    return fig


def _bars(ax: Axes, rows: Sequence[tuple[str, float, str]], whole: float) -> None:
    for y, (name, ms, note) in enumerate(rows):
        colour = figures.MUTE if name == "in no operator" else figures.BERRY
        ax.barh(-y, 100 * ms / whole, color=colour, height=0.7, hatch="//" if colour == figures.MUTE else "")
        ax.text(100 * ms / whole + 1.5, -y, note, va="center", fontsize=8.5, color=figures.INK)
    short = [name.replace("_scaled_dot_product_flash_attention_for_cpu", "fused attention") for name, _, _ in rows]
    ax.set_yticks([-y for y in range(len(rows))], short, fontsize=9)
    ax.set(xlim=(0, 115), xlabel="share of the step's time (%)")
    ax.set_xticks([0, 25, 50, 75, 100])


def profile(operators: Mapping[str, tuple[float, int]], outside: float, whole: float) -> Figure:
    """Draw the first operators of one profile and what was in no operator, in milliseconds of whole."""
    fig, ((ax,),) = figures.new(width=9.5, height=3.0)
    rows = [(name, ms, f"{ms:.2f} ms, {calls} calls") for name, (ms, calls) in list(operators.items())[:FIRST]]
    _bars(ax, [*rows, ("in no operator", outside, f"{outside:.2f} ms")], whole)
    first, (ms, _) = next(iter(operators.items()))
    figures.title(ax, f"One step of {whole:.1f} ms, profiled: {first} takes {100 * ms / whole:.0f} % of it")
    return fig


def profiles(record: Mapping[str, Mapping]) -> Figure:
    """Draw four recorded profiles: the sound one, and three steps with one thing wrong each."""
    fig, axes = figures.new(2, 2, height=6.4)
    for ax, name in zip(axes.flat, FOUR, strict=True):
        found = record[name]
        first = list(found["operators"].items())[: FIRST + 1]
        rows = [(operator, ms, f"{ms:.2f} ms, {calls} ×") for operator, (ms, calls) in first]
        rows.append(("in no operator", found["outside_ms"], f"{found['outside_ms']:.1f} ms"))
        _bars(ax, rows, found["ms"])
        says = "sound" if name == "sound" else f"step {name}"
        figures.title(ax, f"{says}: {found['ms']:.1f} ms, {found['tokens']:,} tokens")
    return fig


def _lane(ax: Axes, y: float, pieces: Sequence[tuple[float, float, str]], colour: str) -> None:
    for start, length, text in pieces:
        ax.barh(y, length, left=start, height=0.62, color="white", edgecolor=colour, linewidth=1.6)
        ax.text(start + length / 2, y, text, ha="center", va="center", fontsize=8.5, color=figures.TEXT[colour])


def waiting() -> Figure:
    """Draw three calls of a processor and a device's work, without waits and with one a call; no measured times."""
    fig, (axes,) = figures.new(1, 2, height=2.6)
    call, work = 1.0, 1.6
    free = [(call + work * i, work, f"work {i + 1}") for i in range(3)]
    told = [(call * i, call, f"call {i + 1}") for i in range(3)]
    _lane(axes[0], 1, told, figures.ORANGE)
    _lane(axes[0], 0, free, figures.BLUE)
    _lane(axes[1], 1, [((call + work) * i, call, f"call {i + 1}") for i in range(3)], figures.ORANGE)
    _lane(axes[1], 0, [((call + work) * i + call, work, f"work {i + 1}") for i in range(3)], figures.BLUE)
    for i in range(3):
        end = (call + work) * (i + 1)
        axes[1].annotate("", (end, 0.72), (end, 0.3), arrowprops={"arrowstyle": "-|>", "color": figures.INK})
        axes[1].text(end + 0.06, 0.5, "read", fontsize=8.5, color=figures.INK, va="center")
    for ax, says in zip(axes, ("Nothing read: the device works without a break",
                                     "A number read a call: both times add up"), strict=True):  # fmt: skip
        ax.set(xlim=(0, 8.6), ylim=(-0.6, 1.6), xlabel="time (drawn, not measured)", xticks=())
        ax.set_yticks([1, 0], ["processor", "device"])
        figures.title(ax, says)
    return fig
