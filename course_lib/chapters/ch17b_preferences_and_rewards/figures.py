"""Pictures of chapter 17b: draws, choosers, the toy, both trainings, the hole, patients, the ladder."""

import textwrap
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.chapters.ch17b_preferences_and_rewards.experiment import Group
from course_lib.chapters.ch17b_preferences_and_rewards.patients import Patient
from course_lib.chat.questions import FAMILIES
from course_lib.chat.rewards import kl_estimate
from course_lib.classroom import figures
from course_lib.classroom.figures import BERRY, BLUE, INK, MUTE, ORANGE, TEAL, TEXT
from course_lib.classroom.records import Record
from course_lib.training.history import History

MARKS = {BLUE: "o", ORANGE: "^", TEAL: "s", BERRY: "D", MUTE: "x", INK: "v"}
GOOD, BAD = "#D6F2EA", "#F3DCEE"


def wrapped(text: str, width: int, lines: int) -> str:
    """Return a text in lines of this width, cut off behind the last; matplotlib's sign for formulas is none here."""
    found = textwrap.wrap(text, width, max_lines=lines, placeholder=" …", break_on_hyphens=False)
    return "\n".join(found).replace("$", r"\$")


def eight_draws(rows: Mapping[str, Sequence[Group]]) -> Figure:
    """Return a table for each model: a row a question, its eight answers, right ones ✓ on green, others ✗ on pink."""
    figure, axes = figures.new(len(rows), 1, height=0.4 + sum(0.45 + 0.55 * len(groups) for groups in rows.values()))
    for (ax,), (name, groups) in zip(axes, rows.items(), strict=True):
        for y, group in enumerate(groups):
            for x, (text, reward) in enumerate(zip(group.texts, group.rewards.tolist(), strict=True)):
                cell = figures.Rectangle((x, -y), 0.95, 0.9, facecolor=GOOD if reward else BAD, edgecolor="none")
                ax.add_patch(cell)
                told = wrapped(f"{'✓' if reward else '✗'} {text}", 17, 3)
                ax.text(x + 0.475, 0.45 - y, told, ha="center", va="center", fontsize=7, color=INK)
        n = len(groups)
        ax.set_yticks([0.45 - y for y in range(n)], [wrapped(g.question.text, 22, 3) for g in groups], fontsize=8)
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


def choosers(tuned: Record, sizes: Sequence[int], luck: Mapping[str, float]) -> Figure:
    """Return shares right by one of n draws, the likeliest, a vote and greedy; and by family one draw and one of 8.

    luck: family → how often one of eight draws for another question is right.
    """
    figure, ((left, right),) = figures.new(1, 2, height=3.6, width_ratios=(1.15, 1))

    def of(keys: Sequence[str]) -> Tensor:
        return torch.tensor([tuned.each(key) for key in keys], dtype=torch.float64).T

    for key, name, colour in (("any", "one of n", TEAL), ("likeliest", "likeliest", BLUE), ("vote", "vote", ORANGE)):
        _band(left, sizes, of([f"{key} {n}" for n in sizes]), colour, "")
        left.plot([], [], color=colour, marker=MARKS[colour], label=name)
    left.axhline(tuned.mean("greedy"), color=MUTE, linestyle="--", linewidth=1.2, label="greedy")
    left.legend(frameon=False, fontsize=9, loc="upper left", ncols=2)
    left.set_xscale("log", base=2)
    left.set_xticks(list(sizes), list(map(str, sizes)))
    left.minorticks_off()
    left.set(xlabel="answers drawn, n", ylabel="share of questions answered right", ylim=(0, 1))
    figures.title(left, "One of n is the bound of all choosing")
    for place, family in enumerate(FAMILIES):
        arm = tuned.arm(family)
        for key, colour, shift in (("right", BLUE, 0.14), ("pass@8", TEAL, -0.14)):
            shares = arm.each(key)
            right.scatter(shares, [shift - place] * len(shares), color=colour, marker=MARKS[colour], s=22)
        right.plot(luck[family], -0.14 - place, "|", color=BERRY, markersize=13, markeredgewidth=2)
    for name, colour in (("one draw", BLUE), ("one of 8", TEAL)):
        right.scatter([], [], color=colour, marker=MARKS[colour], label=name)
    right.plot([], [], "|", color=BERRY, markersize=11, markeredgewidth=2, label="by luck")
    right.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 0.98), ncols=3, handletextpad=0.3)
    right.set_yticks([-place for place in range(len(FAMILIES))], list(FAMILIES))
    right.set(xlabel="share right, 14 questions a family, five seeds", xlim=(-0.02, 1.02))
    right.set_title("Count and weekday: mostly luck", loc="left", fontsize=12, color=INK, pad=26)
    return figure


def toy(p: Tensor, best: Tensor, found: Tensor, paths: Mapping[str, Tensor]) -> Figure:
    """Return probabilities before, at the optimum and where descent ended; and log-probabilities on one pair alone.

    paths: name → (steps, 5), log-probabilities of A to E, of which D is chosen and A rejected.
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
        figures.line(ax, steps, path[:, 3], TEAL)
        figures.line(ax, steps, path[:, 0], BERRY, dashed=True)
        ax.plot(figures.values(steps), figures.values(path[:, 4]), color=INK, linestyle=":", linewidth=1.6)
        ax.set_xscale("log")
        ax.set(xlabel="step", ylim=(-14, 1))
        for place, (text, colour) in enumerate(
            (("— chosen, D", TEXT[TEAL]), ("– – rejected, A", BERRY), ("··· E", INK))
        ):
            ax.text(0.04, 0.21 - 0.09 * place, text, color=colour, transform=ax.transAxes, fontsize=9)
        figures.title(ax, name)
    others[0].set_ylabel("log probability (nats)")
    return figure


def trainings(
    record: Record, history: History, panels: Mapping[str, Sequence[str]], labels: Sequence[str], unit: str = "step"
) -> Figure:
    """Return recorded curves of five runs, and this run's beginning in black.

    panels: title → the names of one curve or of two, the second of which is dashed; labels: what the axes say; unit: of
    their x.
    """
    figure, (axes,) = figures.new(1, len(panels), height=2.9)
    steps = record.each("steps")
    for ax, (title, names), label in zip(axes, panels.items(), labels, strict=True):
        for name, colour, dash in zip(names, (ORANGE, BERRY), ("-", "--"), strict=False):
            for run in record.each(name):
                ax.plot(steps[: len(run)], run, color=colour, linestyle=dash, linewidth=1)
            ax.plot(*history.curve(name), color=INK, linestyle=dash, linewidth=2.4, marker=".", markersize=7)
        ax.set(xlabel=f"{unit} (black: this run)", ylabel=label)
        figures.title(ax, title)
    return figure


def estimates(high: Mapping[str, float], known: Mapping[str, float]) -> Figure:
    """Return the noise of three baselines for two kinds of rewards, the clipped objective, two estimates of a KL.

    high, known: baseline → relative noise, where all rewards are high and where 9 of 10 answers are right.
    """
    figure, ((left, middle, right),) = figures.new(1, 3, height=3.1)
    for noise, colour, shift in ((high, ORANGE, 0.12), (known, BLUE, -0.12)):
        places = [shift - place for place in range(len(noise))]
        left.scatter(list(noise.values()), places, color=colour, marker=MARKS[colour], s=40)
    left.text(0.3, 0.62, "▲ all rewards high", color=TEXT[ORANGE], fontsize=9)
    left.text(0.3, 0.42, "● 0/1, nine of ten right", color=BLUE, fontsize=9)
    left.set_yticks([-place for place in range(len(high))], list(high))
    left.set(xlabel="variance, over the squared mean", ylim=(0.6 - len(high), 0.85))
    left.set_xlim(-0.3, 1.12 * max(*high.values(), *known.values()))
    figures.title(left, "It helps ▲, or harms ●")
    ratio = torch.linspace(0.4, 1.8, 141)
    for gain, colour, dash in ((1.0, TEAL, "-"), (-1.0, BERRY, "--")):
        kept = torch.minimum(ratio * gain, ratio.clamp(0.8, 1.2) * gain)
        middle.plot(figures.values(ratio), figures.values(kept), color=colour, linestyle=dash, linewidth=1.8)
    middle.text(1.25, 1.02, "A = 1", color=TEXT[TEAL], va="top")
    middle.text(0.45, -1.05, "A = −1", color=BERRY, va="top")
    middle.set(xlabel="ratio ρ of new to old probability", ylabel="what is maximised")
    figures.title(middle, "Beyond the clip it is level")
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


def goodhart(record: Record, arms: Mapping[str, str]) -> Figure:
    """Return what is paid by the hole, what is right, and length over the batches, five runs for each arm."""
    figure, (axes,) = figures.new(1, 3, height=3.3)
    labels = {"reward": "share in order (paid)", "judged": "share right", "length": "tokens of an answer"}
    titles = ("Without a price more is paid", "And less is right", "Its answers get shorter")
    for ax, (key, label), title in zip(axes, labels.items(), titles, strict=True):
        for (arm, name), colour in zip(arms.items(), (BERRY, BLUE, TEAL), strict=True):
            if not (key == "reward" and arm == "checker"):  # which is paid for what is right
                runs = torch.tensor(record.arm(arm).each(key), dtype=torch.float64)
                _band(ax, record.arm(arm).each("steps"), runs, colour, "")
            ax.plot([], [], color=colour, marker=MARKS[colour], label=name)
        ax.set(xlabel="batch (two updates)", ylabel=label)
        figures.title(ax, title)
    for ax in axes[:2]:
        ax.set_ylim(-0.03, 1.03)
    axes[1].legend(frameon=False, fontsize=9, loc="upper left")
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
    """Return each seed's share right less that of one draw of the tuned model, for stages and ways of answering."""
    figure, (axes,) = figures.new(1, 2, height=4.6)
    colours = (BLUE, BERRY, ORANGE, INK, TEAL)
    parts = {"ladder": "test questions", "familiar": "familiar questions"}
    for ax, (part, name) in zip(axes, parts.items(), strict=True):
        start = torch.tensor(record.arm(part, "tuned").each("right"), dtype=torch.float64)
        for place, stage in enumerate(stages):
            for i, (way, colour) in enumerate(zip(ways, colours, strict=True)):
                more = torch.tensor(record.arm(part, stage).each(way), dtype=torch.float64) - start
                y = 0.32 - 0.16 * i - place
                ax.scatter(figures.values(more), [y] * len(more), color=colour, marker=MARKS[colour], s=22)
        ax.axvline(0, color=MUTE, linestyle="--", linewidth=1.2)
        ax.set_yticks([-place for place in range(len(stages))], list(stages.values()))
        ax.set(xlabel=f"{name}: gain in share right", xlim=(-0.08, 0.42))
    axes[1].set_yticks([])
    for name, colour in zip(ways.values(), colours, strict=True):
        axes[1].scatter([], [], color=colour, marker=MARKS[colour], label=name)
    axes[1].legend(frameon=False, fontsize=9.5, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=INK)
    return figure
