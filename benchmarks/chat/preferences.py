"""Record ``chat_preferences.json``: what preferences and rewards add to tuned models of chapter 17, five seeds.

The seeds are those of the tuning and of what follows; all began from one pretrained model. Pairs for DPO and rewards
for GRPO come from the model's own draws on training questions, judged by the checker. "imitated" learns DPO's right
draws by likelihood, "further", its control, the books' answers to the same questions. "hole" is paid for lists that are
in order, whatever words stand in them; its arm "checker", the control, for right ones. Shares are of the same test
questions for all stages. Rates and steps were chosen by trials of one seed on validation questions.
``--seed`` makes one and leaves it in a folder with its weights; ``--record`` gathers five; without either the missing
ones are made and gathered.
"""

import argparse
import copy
import json
import re
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.chat import stages
from benchmarks.chat.pretraining import KEPT, load, save
from benchmarks.kept import by_seed
from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import Transformer
from course_lib.chapters.ch17b_preferences_and_rewards.experiment import (
    Encoded,
    Group,
    Reward,
    draw_groups,
    draw_pairs,
    draw_rewarded,
    is_right,
    key_of,
    log_probabilities,
    preference_pairs,
    watched_step,
)
from course_lib.chapters.ch17b_preferences_and_rewards.hole import in_order, kept, listed
from course_lib.chat.preferences import dpo_step
from course_lib.chat.questions import FAMILIES, Question, ask, questions
from course_lib.chat.rewards import pass_at_k, reward_step
from course_lib.chat.sampling import vote
from course_lib.chat.template import ChatTemplate
from course_lib.chat.tuning import draw_exchanges, encoded_exchanges
from course_lib.classroom.records import write_record
from course_lib.pretrained.chat import load_chat_template
from course_lib.training.fit import fit
from course_lib.training.history import History
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.trained import Trained

SEEDS = range(5)
DPO = {"beta": 0.1, "rate": 1e-4, "pairs": 16, "questions": 2000, "steps": 140, "every": 4}
REWARDS = {"kl weight": 0.04, "rate": 2e-4, "questions": 8, "answers": 8, "steps": 144, "every": 4}
IMITATION = {"rate": 5e-4, "batch": 32, "steps": 120, "every": 10}
HOLE = {"rate": 6e-4, "questions": 4, "answers": 8, "steps": 24, "every": 2, "asked": 60}
HOLES: dict[str, tuple[Reward, float]] = {  # what is paid, and the weight of the KL
    "kl weight 0": (in_order, 0.0), "kl weight 0.3": (in_order, 0.3), "checker": (is_right, 0.0),
}  # fmt: skip
NAMED = {"define": 1, "rhyme": 1, "spell": 1, "count": 2, "numbers": 1, "arithmetic": 1}  # parts a sentence names
ASKED, N, SIZES = 140, 8, (1, 2, 4, 8)
WEIGHED = 400  # questions whose answers' probabilities are compared before and after DPO
SCHEDULE = partial(warmup_then_linear, warmup=0.2, decay=0.3)


def rng(seed: int) -> torch.Generator:
    """Return a generator of its own."""
    return torch.Generator().manual_seed(seed)


def train(step: Any, draw: Any, learner: Transformer, adam: torch.optim.Optimizer, plan: dict, seed: int) -> History:
    """Train as planned."""
    trained = Trained({"model": learner}, {"adam": adam}, rng(seed))
    return fit(step, draw, plan["steps"], trained, schedule=SCHEDULE, every=plan["every"], progress=False)


def curves(history: History, names: Sequence[str], started: float) -> dict[str, Any]:
    """Return the curves of these names, and the seconds of one core since the start."""
    return {name: history.curve(name).values for name in names} | {"seconds": time.process_time() - started}


def own_draws(tuned: Transformer, template: ChatTemplate, seed: int) -> list[Group]:
    """Return the draws that DPO and imitation learn from."""
    asked = questions("train", DPO["questions"], seed=100 + seed)
    return draw_groups(tuned, template, asked, 8, rng(seed))


def preferred(
    tuned: Transformer, template: ChatTemplate, groups: Sequence[Group], seed: int
) -> tuple[Transformer, dict[str, Any]]:
    """Return the model after DPO on pairs of its own draws, and what was seen on the way."""
    started = time.process_time()
    pairs = preference_pairs(groups, rng(seed))
    learner = copy.deepcopy(tuned).requires_grad_()
    adam = torch.optim.Adam(learner.parameters(), DPO["rate"])
    draw = draw_pairs(pairs, DPO["pairs"], template.end, torch.device("cpu"))
    history = train(dpo_step(learner, tuned, [adam], DPO["beta"]), draw, learner, adam, DPO, seed)
    names = ("loss", "margin", "right", "chosen_reward", "rejected_reward")
    seen = curves(history, names, started) | {"n_pairs": len(pairs)}
    before, after = (masses(model, groups[:WEIGHED]) for model in (tuned, learner))
    moved = {name: after[name] - before[name] for name in before}
    return learner.eval().requires_grad_(False), seen | {"moved": moved}


def masses(model: Transformer, groups: Sequence[Group]) -> dict[str, float]:
    """Return the probability of the right answers that were drawn, of the wrong ones, and of all that were not.

    A mean over the questions with both; an answer that was drawn twice counts once.
    """
    mixed = [group for group in groups if 0 < group.rewards.mean() < 1]
    p = log_probabilities(model, mixed).exp()
    found = {"right": 0.0, "wrong": 0.0}
    for group, each in zip(mixed, p.tolist(), strict=True):
        once = {tuple(answer.tolist()): i for i, answer in enumerate(group.answers)}
        for i in once.values():
            found["right" if group.rewards[i] else "wrong"] += each[i] / len(mixed)
    return found | {"not drawn": 1 - sum(found.values())}


def imitated(
    tuned: Transformer, template: ChatTemplate, rows: Sequence[Encoded], seed: int
) -> tuple[Transformer, dict[str, Any]]:
    """Return the model after more steps of tuning on some answers, and what was seen on the way."""
    started = time.process_time()
    learner = copy.deepcopy(tuned).requires_grad_()
    adam = torch.optim.Adam(learner.parameters(), IMITATION["rate"])
    draw = draw_exchanges(rows, int(IMITATION["batch"]), template.end)
    history = train(next_token_step(learner, [adam]), draw, learner, adam, IMITATION, seed)
    return learner.eval().requires_grad_(False), curves(history, ("loss",), started) | {"rows": len(rows)}


def rewarded(
    tuned: Transformer,
    template: ChatTemplate,
    pool: Sequence[Question],
    plan: dict,
    weight: float,
    seed: int,
    **others: Any,
) -> tuple[Transformer, dict[str, Any]]:
    """Return the model after GRPO, and what was seen on the way; others: of ``draw_rewarded``."""
    started = time.process_time()
    learner = copy.deepcopy(tuned).requires_grad_()
    adam = torch.optim.Adam(learner.parameters(), plan["rate"])
    draw = draw_rewarded(learner, template, pool, plan["questions"], plan["answers"], **others)
    step = watched_step(reward_step(learner, tuned, [adam], weight))
    history = train(step, draw, learner, adam, plan, seed)
    names = ("reward", "judged", "kl", "clipped", "even", "length")
    return learner.eval().requires_grad_(False), curves(history, names, started)


def hole(tuned: Transformer, template: ChatTemplate, reward: Reward, weight: float, seed: int) -> dict[str, Any]:
    """Train on lists to sort, paid by a reward; judge answers to test questions before and after."""
    pool, asked = ask("sort", "train", 600, seed=300 + seed), ask("sort", "test", HOLE["asked"], seed=7)
    model, seen = rewarded(tuned, template, pool, HOLE, weight, seed, reward=reward, judge=is_right)
    for name, judged in (("before", tuned), ("after", model)):
        groups = draw_groups(judged, template, asked, 4, rng(seed), reward=in_order)
        every = [(group.question, text) for group in groups for text in group.texts]
        seen[name] = {
            "reward": torch.stack([group.rewards for group in groups]).mean().item(),
            "right": mean([is_right(*each) for each in every]),
            "kept": mean([kept(*each) for each in every]),
            "words": mean([len(listed(text)) for _, text in every]),
            "texts": [[group.question.text, group.texts[0]] for group in groups[:5]],
        }
    return seen


def measured(model: Transformer, template: ChatTemplate, asked: Sequence[Question], seed: int) -> dict[str, Any]:
    """Return shares right of one draw, greedy, a vote, the likeliest of n and any of n; by family, too."""
    groups = draw_groups(model, template, asked, N, rng(seed))
    greedy = torch.cat([g.rewards for g in draw_groups(model, template, asked, 1, rng(seed), temperature=0)])
    right, log_q = torch.stack([group.rewards for group in groups]), log_probabilities(model, groups)
    found: dict[str, Any] = {"right": right.mean().item(), "greedy": greedy.mean().item()}
    for n in SIZES:
        found[f"any {n}"] = any_of(right, n)
        found[f"vote {n}"] = mean([voted(group, n) for group in groups])
        found[f"likeliest {n}"] = right.gather(1, log_q[:, :n].argmax(1, keepdim=True)).mean().item()
    found |= {"pass@8": found["any 8"], "vote": found["vote 8"]}
    found["length"] = mean([len(answer) for group in groups for answer in group.answers])
    taken = [(g.question, text) for g in groups for text, reward in zip(g.texts, g.rewards, strict=True) if reward]
    found["astray"] = mean([astray(*each) for each in taken])
    for family in FAMILIES:
        own = torch.tensor([group.question.family == family for group in groups])
        shares = {"right": right[own].mean().item(), "greedy": greedy[own].mean().item()}
        found[family] = shares | {"pass@8": any_of(right[own], 8)}
    return found


def astray(question: Question, text: str) -> float:
    """Return whether an answer that is taken names another subject: what the checker does not look at."""
    parts = question.about[: NAMED.get(question.family, 0)]
    missing = [each for each in parts if not re.search(rf"(?<!\w){re.escape(each)}(?!\w)", text, re.IGNORECASE)]
    return float(text.startswith("The ") and bool(missing))


def any_of(right: Tensor, n: int) -> float:
    """Return pass@n of the drawn answers."""
    return pass_at_k(right.sum(1).long(), right.shape[1], n).mean().item()


def voted(group: Group, n: int) -> float:
    """Return whether a vote of the first n answers is right."""
    elected = vote(group.texts[:n], key_of(group.question))
    return 0.0 if elected is None else is_right(group.question, elected)


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def run(seed: int, folder: Path, part: str = "test") -> dict[str, Any]:
    """Make one seed: all trainings and all measurements; leave its weights in the folder, rounded to bfloat16."""
    template, asked = load_chat_template(), questions(part, ASKED)
    tuned = load(folder / f"tuned-{seed}.safetensors").eval().requires_grad_(False)
    models, found = {"tuned": tuned}, {}
    groups = own_draws(tuned, template, seed)
    models["preferred"], found["preferences"] = preferred(tuned, template, groups, seed)
    right = [row for g in groups for row, reward in zip(g.encoded, g.rewards, strict=True) if reward]
    of_books = encoded_exchanges(template, [group.question for group in groups])
    for name, rows in (("imitated", right), ("further", of_books)):
        models[name], found[name] = imitated(tuned, template, rows, seed)
    pool = questions("train", 2000, seed=200 + seed)
    models["rewarded"], found["rewards"] = rewarded(tuned, template, pool, REWARDS, REWARDS["kl weight"], seed)
    for name in ("preferred", "rewarded"):
        save(models[name], folder / f"{name}-{seed}.safetensors")
    for name, given in (("ladder", asked), ("familiar", questions("train", ASKED, seed=400))):
        found[name] = {stage: measured(model, template, given, seed) for stage, model in models.items()}
    found["hole"] = {name: hole(tuned, template, *paid, seed) for name, paid in HOLES.items()}
    return found


def record(folder: Path) -> None:
    """Gather five seeds and write the record."""
    values = by_seed([json.loads((folder / f"preferences-{seed}.json").read_text()) for seed in SEEDS], digits=6)
    plans = {"preferences": DPO, "imitated": IMITATION, "further": IMITATION, "rewards": REWARDS}
    for name, plan in plans.items():
        values[name] = {**plan, "updates": plan["steps"], **values[name], "steps": steps_of(plan)}
    for arm in values["hole"].values():
        arm["steps"] = steps_of(HOLE)
    values["plan"] = {"hole": HOLE, "asked": ASKED, "draws": N}
    what = "DPO, imitation, rewards and a hole: five tunings of one model of 1.3 million parameters, 140 questions"
    write_record("chat_preferences", what, SEEDS, values)


def steps_of(plan: dict) -> list[int]:
    """Return the steps at which the curves stand."""
    return list(range(plan["every"], plan["steps"] + 1, plan["every"]))


def main() -> None:
    """Make one seed, or those that are missing, and gather five."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path, nargs="?", default=KEPT)
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--part", default="test")
    arguments.add_argument("--record", action="store_true", help="gather what is there")
    chosen = arguments.parse_args()
    torch.set_num_threads(1)
    if chosen.record:
        record(chosen.folder)
        return
    for seed in SEEDS if chosen.seed is None else [chosen.seed]:
        path = chosen.folder / f"preferences-{seed}.json"
        if chosen.seed is None and path.exists():
            continue
        if not (chosen.folder / f"tuned-{seed}.safetensors").exists():
            stages.run(seed, chosen.folder, only_tuned=True)
        path.write_text(json.dumps(run(seed, chosen.folder, chosen.part)))
    if chosen.seed is None:
        record(chosen.folder)


if __name__ == "__main__":
    main()
