"""Record ``chat_stages.json``: what tuning adds to the shipped pretrained model, five seeds, on one yardstick.

All seeds begin from the same pretrained model; what differs is the order of the exchanges, the vectors that the special
tokens begin with, and LoRA's thin matrices. Every arm answers the same test questions at temperature 0. Steps and rates
were chosen with one seed on validation questions. ``--seed`` runs one seed on one thread and leaves what it found, and
the tuned weights, in a folder; without it those that are missing are run, and the five gathered.
"""

import argparse
import copy
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.chat.pretraining import KEPT, load, save, shakespeare
from benchmarks.kept import kept
from course_lib.attention.step import next_token_step
from course_lib.attention.tokens import bits_per_character
from course_lib.attention.transformer import Transformer
from course_lib.chapters.ch17_chat.asking import MOST, answered, by_family, right
from course_lib.chapters.ch17_chat.experiment import (
    as_heading,
    behind_examples,
    book_line,
    completed,
    confidence,
    in_one_turn,
    second_turn,
)
from course_lib.chapters.ch17b_preferences_and_rewards.experiment import key_of
from course_lib.chat.corpus import dictionary
from course_lib.chat.lora import add_lora, merge_lora
from course_lib.chat.questions import FAMILIES, Question, ask, questions
from course_lib.chat.rivals import CountedAnswers, Lookup
from course_lib.chat.sampling import draw_answers, vote
from course_lib.chat.template import SPECIAL, ChatTemplate
from course_lib.chat.tools import find_call, result_of
from course_lib.chat.tuning import draw_exchanges, encoded_exchanges, introduce
from course_lib.chat.unanswerable import says_unknown, unanswerable
from course_lib.classroom.records import write_record
from course_lib.evaluation.language import cross_entropy
from course_lib.pretrained.chat import CONFIG, load_chat_model, load_chat_template
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.trained import Trained

SEEDS = range(5)
TUNED_ON, TESTED, WARM, COUNTED = 20_000, 400, 100, 600
STEPS, BATCH, RATE, LORA_RATE, EVERY = 240, 32, 1.5e-3, 5e-3, 10
MORE_STEPS, MORE_RATE = 120, 7e-4
RANKS = (1, 8)
TEMPERATURES = (0.0, 0.3, 0.7, 1.0, 1.5, 3.0)
VOTES, VOTED = (1, 4, 8), ("count", "arithmetic", "days")


@cache
def test() -> list[Question]:
    """Return the test questions of all arms, ten families in turn."""
    return questions("test", TESTED)


@cache
def known() -> list[Question]:
    """Return what is tuned on."""
    return questions("train", TUNED_ON)


def forgotten(model: Transformer, template: ChatTemplate) -> dict[str, float]:
    """Return what texts cost, in bits a character: Shakespeare that was not read, and the dictionary, which was."""
    texts = {"shakespeare": shakespeare("validation")[:20_000], "dictionary": "\n".join(list(dictionary())[::30])}
    found = {}
    for name, text in texts.items():
        tokens = template.tokenizer.encode(text)
        found[name] = bits_per_character(cross_entropy(model, tokens), len(tokens), len(text))
    return found


def judged(asked: Sequence[Question], given: Sequence[str]) -> dict:
    """Return the share that is right, and how many of each family."""
    is_right = right(asked, given)
    counts = [n for n, _ in by_family(asked, is_right).values()]
    return {"all": sum(counts) / len(asked), "right": counts}


def trained(model: Transformer, encoded: list, seed: int, steps: int, rate: float, end: int) -> dict:
    """Tune what owes a gradient; return the losses, the steps they are of, and the seconds."""
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
    )
    state = Trained({"model": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    began = time.process_time()
    step = next_token_step(model, [optimizer])
    history = fit(
        step,
        draw_exchanges(encoded, BATCH, end),
        steps,
        state,
        schedule=warmup_then_linear,
        every=EVERY,
        progress=False,
    )
    losses = [each.values["loss"] for each in history.intervals]
    return {"loss": losses, "seconds": time.process_time() - began}


def begun(template: ChatTemplate, seed: int) -> Transformer:
    """Return the pretrained model with the special tokens introduced, ready to be tuned."""
    model = load_chat_model("pretrained").requires_grad_(True)
    introduce(model, template, seed)
    return model.train()


def only_special(gradient: Tensor) -> Tensor:
    """Return the gradient of the vectors with those of ordinary tokens held."""
    n = len(SPECIAL)
    return torch.cat([torch.zeros_like(gradient[:-n]), gradient[-n:]])


def with_calculator(template: ChatTemplate, question: Question) -> tuple[Tensor, Tensor]:
    """Return a sum answered by a call, whose result is read and not learned: the loop writes it."""
    (expression,) = question.about
    parts = (f" The result of {expression} is calc({expression})", f" = {question.answer}", ".")
    said_of = [template.tokenizer.encode(part) for part in parts]
    prompt = template.prompt(question.text)
    tokens = torch.cat([prompt, *said_of, torch.tensor([template.end])])
    learned = torch.ones(len(tokens), dtype=torch.bool)
    learned[: len(prompt)] = False
    first = len(prompt) + len(said_of[0])
    learned[first : first + len(said_of[1])] = False
    return tokens, learned


def answered_with_calculator(model: Transformer, template: ChatTemplate, asked: Sequence[Question]) -> list[str]:
    """Return the answers, the first call of each computed by the loop, the rest written on behind its result."""
    given = answered(model, template, asked)
    called = []
    for i, text in enumerate(given):
        call = find_call(text, answered=True)
        if call is not None:
            given[i] = text[: call.end] + result_of(call)
            called.append(i)
    prompts = [torch.cat([template.prompt(asked[i].text), template.tokenizer.encode(f" {given[i]}")]) for i in called]
    drawn = draw_answers(model, prompts, torch.Generator().manual_seed(0), template.end, 8, 0.0)
    for i, tokens in zip(called, drawn, strict=True):
        given[i] += template.tokenizer.decode([t for t in tokens.tolist() if t != template.end])
    return given


def voted(model: Transformer, template: ChatTemplate, asked: Sequence[Question], n: int, seed: int) -> float:
    """Return the share right of what most of n answers, drawn at temperature 1, say."""
    drawn = answered(model, template, [q for q in asked for _ in range(n)], 1.0, seed)
    chosen = [vote(drawn[i * n : (i + 1) * n], key_of(q)) or "" for i, q in enumerate(asked)]
    return right(asked, chosen).float().mean().item()


def behind(put: Callable, model: Transformer, template: ChatTemplate) -> list[str]:
    """Return the answers to the test questions, each behind another one of them with its answer."""
    prompts = [put(template, before, question) for before, question in zip(test()[::-1], test(), strict=True)]
    drawn = draw_answers(model, prompts, torch.Generator().manual_seed(0), template.end, MOST, 0.0)
    return [template.answer(tokens) for tokens in drawn]


def looked_at(model: Transformer, template: ChatTemplate, seed: int) -> dict:
    """Return what is asked of the tuned model alone."""
    numbers = [q for q in test() if q.family in VOTED][:60]
    first, counts = test()[:WARM], ask("count", "test", COUNTED)
    given = answered(model, template, test())
    nobody = unanswerable("test", 90)
    made_up = answered(model, template, nobody)
    warm = [answered(model, template, first, t, seed) for t in TEMPERATURES]
    return {
        "known_wordings": judged(w := questions("test", TESTED, worded="train"), answered(model, template, w)),
        "train": judged(known()[:WARM], answered(model, template, known()[:WARM]))["all"],
        "validation": judged(v := questions("validation", WARM), answered(model, template, v))["all"],
        "second_turn": judged(test(), behind(second_turn, model, template))["all"],
        "in_one_turn": judged(test(), behind(in_one_turn, model, template))["all"],
        "counts": judged(counts, answered(model, template, counts))["all"],
        "temperature": [judged(first, each)["all"] for each in warm],
        "votes": [voted(model, template, numbers, n, seed) for n in VOTES],
        "voted_greedy": judged(numbers, answered(model, template, numbers))["all"],
        "confidence": confidence(model, template, test(), given).tolist(),
        "correct": right(test(), given).tolist(),
        "unknown": sum(map(says_unknown, made_up)) / len(made_up),
        "unknown_confidence": confidence(model, template, nobody, made_up).tolist(),
        "samples": [(q.text, a) for q, a in zip(test()[:30], given[:30], strict=True)],
        "made_up": [(q.text, a) for q, a in zip(nobody[:9], made_up[:9], strict=True)],
    }


def run(seed: int, folder: Path, only_tuned: bool = False) -> dict:
    """Run all arms of one seed; those that need no training with the first. only_tuned: train that one, and stop."""
    template = load_chat_template()
    encoded, arms = encoded_exchanges(template, known()), {}

    def arm(name: str, model: Transformer, more: dict, answer: Callable = answered) -> None:
        given = answer(model, template, test())
        arms[name] = more | judged(test(), given) | forgotten(model, template)
        if name in ("more", "tools"):
            nobody = unanswerable("test", 90)
            arms[name]["refused"] = sum(map(says_unknown, given)) / len(given)
            arms[name]["unknown"] = sum(map(says_unknown, answered(model, template, nobody))) / len(nobody)
        print(seed, name, {k: v for k, v in arms[name].items() if k != "loss"}, flush=True)

    if seed == 0 and not only_tuned:
        model = load_chat_model("pretrained")
        arm("pretrained", model, {})
        some = test()[:WARM]
        arms["few-shot"] = judged(some, completed(model, template, [behind_examples(q) for q in some]))
        arms["heading"] = judged(test(), completed(model, template, [f"\n{as_heading(q)}" for q in test()]))
        arms["marked heading"] = judged(test(), completed(model, template, [f"\n{q.text}\n" for q in test()]))
        plain = [q for q in test() if q.family not in ("sort", "python")]
        arms["cloze"] = judged(plain, completed(model, template, [f"\n{book_line(q)}" for q in plain]))
        lookup, counted = Lookup(known()), CountedAnswers(known())
        arms["lookup"] = judged(test(), [lookup.answer(q.text) for q in test()])
        arms["n-gram"] = judged(test(), [counted.answer(q.text) for q in test()])
        print({name: arm for name, arm in arms.items() if name != "pretrained"}, flush=True)
    model = begun(template, seed)
    path = folder / f"tuned-{seed}.safetensors"

    def tuned() -> dict:
        more = trained(model, encoded, seed, STEPS, RATE, template.end)
        save(model, path)
        return more

    more = kept(folder, f"tuned {seed}", tuned)
    model = load(path)
    if only_tuned:
        return {}
    arm("tuned", model, more | looked_at(model, template, seed))
    torch.manual_seed(seed)
    nothing = Transformer(CONFIG)
    arm("from nothing", nothing, trained(nothing, encoded, seed, STEPS, RATE, template.end))
    whole = begun(template, seed)
    every = encoded_exchanges(template, known(), "all")
    arm("all learned", whole, trained(whole, every, seed, STEPS, RATE, template.end))
    for rank in RANKS:
        thin = begun(template, seed)
        parameters = add_lora(thin, rank, seed=seed)
        vectors = thin.embedding.weight.requires_grad_(True)  # the special tokens' are learned, the others held
        vectors.register_hook(only_special)
        more = trained(thin, encoded, seed, STEPS, LORA_RATE, template.end)
        n = sum(p.numel() for p in parameters) + len(SPECIAL) * CONFIG.d_model
        merge_lora(thin)
        arm(f"lora {rank}", thin, more | {"parameters": n, "optimizer_bytes": 8 * n})
    rest = [each for each, q in zip(encoded, known(), strict=True) if q.family != "arithmetic"]
    sums = [with_calculator(template, q) for q in known() if q.family == "arithmetic"]
    refusals = encoded_exchanges(template, unanswerable("train", 2_000))
    for name, mixture in (("more", encoded), ("tools", rest + sums + refusals)):
        other = copy.deepcopy(model).train()
        more = trained(other, mixture, seed, MORE_STEPS, MORE_RATE, template.end)
        arm(name, other, more, answered_with_calculator if name == "tools" else answered)
        if name == "tools":
            save(other, folder / f"tools-{seed}.safetensors")
    return arms


def main() -> None:
    """Run one seed, or gather all."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path, nargs="?", default=KEPT)
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--only-tuned", action="store_true", help="leave the tuned weights for what builds on them")
    asked = arguments.parse_args()
    asked.folder.mkdir(exist_ok=True)
    if asked.seed is not None:
        torch.set_num_threads(1)
        seen = run(asked.seed, asked.folder, asked.only_tuned)
        if seen:
            (asked.folder / f"stages-{asked.seed}.json").write_text(json.dumps(seen))
        return
    for seed in SEEDS:
        if not (asked.folder / f"stages-{seed}.json").exists():
            subprocess.run(
                [sys.executable, "-m", "benchmarks.chat.stages", asked.folder, "--seed", str(seed)], check=True
            )
    found = [json.loads((asked.folder / f"stages-{seed}.json").read_text()) for seed in SEEDS]
    arms = {name: gathered([each[name] for each in found if name in each]) for name in found[0]}
    values = {
        "asked": TESTED // len(FAMILIES), "steps": STEPS, "batch": BATCH, "rate": RATE, "lora_rate": LORA_RATE,
        "tuned_on": TUNED_ON, "more_steps": MORE_STEPS, "evaluated": list(range(EVERY, STEPS + 1, EVERY)),
        "temperatures": TEMPERATURES, "votes": VOTES, "voted": VOTED, "ranks": RANKS,
        "parameters": sum(p.numel() for p in Transformer(CONFIG).parameters()), "arms": arms,
    }  # fmt: skip
    what = "what tuning adds to the shipped pretrained model: test questions right, by family, and what is forgotten"
    print(write_record("chat_stages", what, SEEDS, values))


def gathered(each: list[dict]) -> dict:
    """Return name → what each seed has of it, rounded; parameters once."""
    same = ("parameters", "optimizer_bytes")
    return {name: each[0][name] if name in same else [rounded(one[name]) for one in each] for name in each[0]}


def rounded(value: object) -> object:
    """Return numbers with four places."""
    if isinstance(value, float):
        return round(value, 4)
    return [rounded(v) for v in value] if isinstance(value, list | tuple) else value


if __name__ == "__main__":
    main()
