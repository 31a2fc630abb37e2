"""Pictures of chapter 17b: draws, choosers, the toy, both trainings, the hole, patients, the ladder."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.chapters.ch17b_preferences_and_rewards.experiment import Group
from course_lib.chapters.ch17b_preferences_and_rewards.patients import Patient
from course_lib.chat.checks import said
from course_lib.chat.rewards import kl_estimate
from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.classroom.records import Record
from course_lib.training.history import History

MARKS = {BLUE: "o", ORANGE: "^", TEAL: "s", BERRY: "D", MUTE: "x", INK: "v"}
GOOD, BAD = "#D6F2EA", "#F3DCEE"


def short(text: str, most: int = 16) -> str:
    """Return a text's beginning, in one line; matplotlib's own sign for formulas is no such sign here."""
    line = " ".join(text.split()).replace("$", r"\$")
    return line if len(line) <= most else line[: most - 1] + "…"


def eight_draws(rows: Mapping[str, Sequence[Group]]) -> Figure:
    """Return a table for each model: a row a question, its eight answers, right ones ✓ on green, others ✗ on pink."""
    figure, axes = figures.new(len(rows), 1, height=0.4 + sum(0.45 + 0.34 * len(groups) for groups in rows.values()))
    for (ax,), (name, groups) in zip(axes, rows.items(), strict=True):
        for y, group in enumerate(groups):
            for x, (text, reward) in enumerate(zip(group.texts, group.rewards.tolist(), strict=True)):
                cell = figures.Rectangle((x, -y), 0.94, 0.86, facecolor=GOOD if reward else BAD, edgecolor="none")
                ax.add_patch(cell)
                told = f"{'✓' if reward else '✗'} {short(said(group.question.family, text), 11)}"
                ax.text(x + 0.47, 0.43 - y, told, ha="center", va="center", fontsize=7.5, color=INK)
        n = len(groups)
        ax.set_yticks([0.43 - y for y in range(n)], [short(group.question.text, 44) for group in groups], fontsize=8.5)
        ax.set(xlim=(0, 8), ylim=(0.95 - n, 0.95), xticks=())
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        right = sum(int(group.rewards.sum()) for group in groups)
        figures.title(ax, f"{name}: {right} of {8 * n} draws are right")
    return figure


def _band(ax: Axes, x: Sequence[float], runs: Tensor, colour: str, label: str, dashed: bool = False) -> None:
    """Draw the mean of runs (runs, x) with its standard error, the label at its end."""
    mean, error = runs.mean(0), runs.std(0) / len(runs) ** 0.5
    place, low, high = figures.values(list(x)), figures.values(mean - error), figures.values(mean + error)
    ax.fill_between(place, low, high, color=colour, alpha=0.2, linewidth=0)
    figures.line(ax, list(x), mean, colour, label, dashed=dashed, marker=MARKS[colour], markersize=4)


def choosers(
    sizes: Sequence[int], by_size: Mapping[str, Tensor], heats: Sequence[float], by_heat: Mapping[str, Tensor]
) -> Figure:
    """Return the share right by who chooses among n answers; and one draw and one of eight by temperature.

    by_size, by_heat: name → (seeds, places).
    """
    figure, ((left, right),) = figures.new(1, 2, height=3.3, width_ratios=(1.15, 1))
    for (name, runs), colour in zip(by_size.items(), (TEAL, ORANGE, BERRY), strict=False):
        _band(left, sizes, runs, colour, name)
    left.set_xscale("log", base=2)
    left.set_xticks(list(sizes), list(map(str, sizes)))
    left.minorticks_off()
    left.set(xlabel="answers drawn, n", ylabel="share of questions answered right", ylim=(0, 1))
    figures.title(left, "What choosing gives, and its bound")
    for (name, runs), colour in zip(by_heat.items(), (BLUE, TEAL), strict=True):
        _band(right, heats, runs, colour, name)
    right.set(xlabel="temperature", ylim=(0, 1))
    figures.title(right, "Heat: fewer right, more different")
    return figure


def toy(p: Tensor, best: Tensor, found: Tensor, paths: Mapping[str, Tensor]) -> Figure:
    """Return probabilities before, at the optimum and where descent ended; and log-probabilities on one pair alone.

    paths: name → (steps, 2), the chosen's and the rejected's log-probability.
    """
    figure, (axes,) = figures.new(1, 1 + len(paths), height=3.2)
    left, *others = axes
    places = torch.arange(len(p))
    left.bar(figures.values(places) - 0.2, figures.values(p), 0.38, facecolor="white", edgecolor=MUTE, hatch="//")
    left.bar(figures.values(places) + 0.2, figures.values(found), 0.38, color=ORANGE)
    left.plot(figures.values(places) + 0.2, figures.values(best), "_", color=INK, markersize=16, markeredgewidth=2)
    left.set_xticks(range(len(p)), list("ABCDE"))
    left.text(0.03, 0.92, "hatched: p   full: DPO   ▬ q*", transform=left.transAxes, fontsize=9, color=INK)
    left.set(ylim=(0, 0.75), ylabel="probability", xlabel="answer")
    figures.title(left, "All pairs: DPO ends at q*")
    for ax, (name, path) in zip(others, paths.items(), strict=True):
        steps = torch.arange(1, len(path) + 1)
        figures.line(ax, steps, path[:, 0], TEAL)
        figures.line(ax, steps, path[:, 1], BERRY, dashed=True)
        ax.set_xscale("log")
        ax.set(xlabel="step", ylim=(-14, 1))
        ax.text(0.04, 0.12, "— chosen, D", color=TEXT[TEAL], transform=ax.transAxes, fontsize=9)
        ax.text(0.04, 0.03, "– – rejected, A", color=BERRY, transform=ax.transAxes, fontsize=9)
        figures.title(ax, name)
    others[0].set_ylabel("log probability (nats)")
    return figure


def trainings(record: Record, history: History, panels: Mapping[str, Sequence[str]], labels: Sequence[str]) -> Figure:
    """Return recorded curves of five runs, and this run's beginning in black.

    panels: title → the names of one curve or of two, the second of which is dashed; labels: what the axes say.
    """
    figure, (axes,) = figures.new(1, len(panels), height=2.9)
    steps = record.each("steps")
    for ax, (title, names), label in zip(axes, panels.items(), labels, strict=True):
        for name, colour, dash in zip(names, (ORANGE, BERRY), ("-", "--"), strict=False):
            for run in record.each(name):
                ax.plot(steps[: len(run)], run, color=colour, linestyle=dash, linewidth=1)
            ax.plot(*history.curve(name), color=INK, linestyle=dash, linewidth=2.4, marker=".", markersize=7)
        ax.set(xlabel="step", ylabel=label)
        figures.title(ax, title)
    return figure


def estimates(noise: Mapping[str, float]) -> Figure:
    """Return the noise of three baselines, the clipped objective of one token, and two estimates of a KL."""
    figure, ((left, middle, right),) = figures.new(1, 3, height=3.0)
    for place, value in enumerate(noise.values()):
        left.plot([0, value], [-place, -place], color=MUTE, linewidth=1)
        left.plot(value, -place, MARKS[ORANGE], color=ORANGE, markersize=8)
        left.text(value, 0.18 - place, f"{value:.2g}", ha="center", fontsize=9)
    left.set_yticks([-place for place in range(len(noise))], list(noise))
    left.set(xlabel="variance, over the squared mean", ylim=(0.6 - len(noise), 0.5))
    left.set_xlim(0, 1.12 * max(noise.values()))
    figures.title(left, "A baseline takes noise away")
    ratio = torch.linspace(0.4, 1.8, 141)
    for gain, colour, dash in ((1.0, TEAL, "-"), (-1.0, BERRY, "--")):
        kept = torch.minimum(ratio * gain, ratio.clamp(0.8, 1.2) * gain)
        middle.plot(figures.values(ratio), figures.values(kept), color=colour, linestyle=dash, linewidth=1.8)
    middle.text(1.25, 1.02, "A = 1", color=TEXT[TEAL], va="top")
    middle.text(0.45, -1.05, "A = −1", color=BERRY, va="top")
    middle.set(xlabel="ratio ρ of new to old probability", ylabel="what is maximised")
    figures.title(middle, "Level beyond 1 ± 0.2")
    log_u = torch.linspace(-2, 2, 161, dtype=torch.float64)
    right.axhline(0, color=INK, linewidth=0.6)
    right.plot(figures.values(log_u), figures.values(-log_u), color=MUTE, linestyle="--", linewidth=1.6)
    k3 = kl_estimate(torch.zeros_like(log_u), log_u)
    right.plot(figures.values(log_u), figures.values(k3), color=BERRY, linewidth=1.8)
    right.text(-1.9, 2.25, "– – −log u", color=MUTE)
    right.text(0.5, 2.6, "— k3", color=BERRY)
    right.set(xlabel="log u = log p/q of a token", ylabel="estimate (nats)", ylim=(-2, 4.5))
    figures.title(right, "k3 is never below 0")
    return figure


def goodhart(record: Record, arms: Mapping[str, str], title: str) -> Figure:
    """Return reward, agreement with the whole meaning, and length over the steps, five runs for each price."""
    figure, (axes,) = figures.new(1, 3, height=3.1)
    labels = {"reward": "share of the words (rewarded)", "judged": "F1 with the meaning", "length": "tokens of an answer"}
    for ax, (key, label) in zip(axes, labels.items(), strict=True):
        for (arm, name), colour in zip(arms.items(), (BERRY, ORANGE, BLUE), strict=False):
            runs = torch.tensor(record.arm(arm).each(key), dtype=torch.float64)
            _band(ax, record.arm(arm).each("steps")[: runs.shape[1]], runs, colour, name if key == "length" else "")
        ax.set(xlabel="step", ylabel=label)
    figures.title(axes[0], title)
    return figure


def sheets(patients: Sequence[Patient]) -> Figure:
    """Return a row of curves for each training: reward and right, the KL as logged, the gradient, different answers."""
    names = {"kl": "KL as logged (nats)", "norm": "norm of the gradient", "different": "different answers of 8"}
    limits = {"kl": (-0.1, 2.2), "norm": (-0.004, 0.09), "different": (0, 8)}
    figure, axes = figures.new(len(patients), 4, height=1.5 * len(patients) + 0.5)
    for row, patient in zip(axes, patients, strict=True):
        steps = torch.arange(1, len(patient.reward) + 1)
        figures.line(row[0], steps, patient.reward, TEAL)
        figures.line(row[0], steps, patient.right, BERRY, dashed=True)
        row[0].set(ylim=(-0.03, 1.03), ylabel=patient.name)
        for ax, name in zip(row[1:], names, strict=True):
            figures.line(ax, steps, getattr(patient, name), ORANGE)
            ax.set(ylim=limits[name])
    for ax, name in zip(axes[0], ("share: — reward, – – right", *names.values()), strict=True):
        ax.set_title(name, loc="left", fontsize=10, color=INK)
    for ax in axes[-1]:
        ax.set_xlabel("step")
    return figure


def ladder(record: Record, stages: Mapping[str, str], ways: Mapping[str, str], title: str) -> Figure:
    """Return each seed's share of right answers for each stage, a mark and colour for each way of answering."""
    figure, ((ax,),) = figures.new(height=0.9 + 0.62 * len(stages))
    colours = (BLUE, ORANGE, BERRY, TEAL)
    for place, stage in enumerate(stages):
        for (way, _), colour, shift in zip(ways.items(), colours, (0.24, 0.08, -0.08, -0.24), strict=True):
            shares = record.arm(stage).each(way)
            ax.scatter(shares, [shift - place] * len(shares), color=colour, marker=MARKS[colour], s=30)
    for name, colour in zip(ways.values(), colours, strict=True):
        ax.scatter([], [], color=colour, marker=MARKS[colour], label=name)
    ax.legend(frameon=False, fontsize=9.5, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set_yticks([-place for place in range(len(stages))], list(stages.values()))
    ax.set(xlabel="share of test questions answered right, five seeds", xlim=(0, 1))
    figures.title(ax, title)
    return figure
