"""The learner writes DPO's loss from the log-probabilities of tokens."""

import torch
from torch.nn import functional as F

from course_lib.chapters.ch17b_preferences_and_rewards import losses
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

NAMES = ("chosen", "rejected", "reference_chosen", "reference_rejected")


def _tokens(pairs: int, time: int, seed: int) -> torch.Tensor:
    """Return log-probabilities of answers of different lengths, 0 behind their ends."""
    log_p = -random(pairs, time, seed=seed).abs() - 0.1
    return torch.where(torch.arange(time) < (torch.arange(pairs)[:, None] % time) + 1, log_p, 0.0)


def _probe(pairs: int, time: int, longer: int, beta: float, seed: int) -> Probe:
    args = [_tokens(pairs, t, seed + i) for i, t in enumerate((time, longer, time, longer))]
    return Probe((*args, beta), says=f"{pairs} pairs of {time} and {longer} tokens, β = {beta}")


def _variation(generator: torch.Generator) -> Probe:
    drawn = [-torch.rand(3, time, dtype=torch.float64, generator=generator) for time in (4, 2, 4, 2)]
    return Probe((*drawn, 0.1 + float(torch.rand((), generator=generator))))


def _margins(combine):
    """Return a loss: the mean of combine(better, worse, beta), of how much likelier each answer has become."""

    def loss(chosen, rejected, reference_chosen, reference_rejected, beta):
        return combine((chosen - reference_chosen).sum(-1), (rejected - reference_rejected).sum(-1), beta).mean()

    return loss


ENTRY = Exercise(
    id="prefer.dpo_loss",
    reference=losses.dpo_loss,
    probes=lambda: [_probe(3, 4, 5, 0.5, 1), _probe(1, 3, 2, 2.0, 5), _probe(5, 6, 3, 0.1, 9)],
    checked="values and gradients for 1, 3 and 5 pairs, answers of different lengths, three β.",
    data=("reference_chosen", "reference_rejected"),
    variations=_variation,
    mistakes=(
        Mistake(
            "exchanged",
            {"better - worse": "worse - better"},
            "the rejected answer is made the better one",
            "the loss should fall when the chosen answer becomes likelier.",
        ),
        Mistake(
            "no_reference",
            {"(chosen - reference_chosen)": "chosen", "(rejected - reference_rejected)": "rejected"},
            "the reference is left out",
            "then a short answer is ahead for being short. The reward is β log *q/p*.",
        ),
        Mistake(
            "beta_outside",
            {"F.logsigmoid(beta * (better - worse))": "beta * F.logsigmoid(better - worse)"},
            "β stands before the logarithm",
            "β is part of the reward, and so of the difference of rewards that σ takes.",
        ),
        Mistake(
            "beta_divides",
            {"beta * (better - worse)": "(better - worse) / beta"},
            "the margin is divided by β",
            "solve q* ∝ p exp(r/β) for r: does β multiply the logarithm, or divide it?",
        ),
        Mistake(
            "mean_over_tokens",
            {"(chosen - reference_chosen).sum(-1)": "(chosen - reference_chosen).mean(-1)",
             "(rejected - reference_rejected).sum(-1)": "(rejected - reference_rejected).mean(-1)"},
            "an answer's log-probability is a mean over its tokens",
            "the probability of an answer is the *product* of its tokens'.",
        ),
        Mistake(
            "sign",
            {"return -F": "return F"},
            "the sign is that of the log-likelihood",
            "a loss goes down while the preferences become likelier.",
        ),
        Mistake(
            "no_logarithm",
            _margins(lambda better, worse, beta: -torch.sigmoid(beta * (better - worse))),
            "the probabilities are averaged, not their logarithms",
            "the likelihood of all pairs is a product.",
        ),
        Mistake(
            "each_alone",
            _margins(lambda better, worse, beta: -F.logsigmoid(beta * better) - F.logsigmoid(-beta * worse)),
            "each answer is judged by itself",
            "Z falls out of a *difference* of rewards only: one σ of the difference.",
        ),
        Mistake(
            "summed",
            {".mean()": ".sum()"},
            "the pairs are added up",
            "a mean over the pairs is asked for.",
        ),
        Mistake(
            "one_margin",
            _margins(lambda better, worse, beta: -F.logsigmoid(beta * (better - worse).sum())),
            "the margins of all pairs are added up before σ",
            "each pair has a σ of its own: sum over the tokens, axis −1, alone.",
        ),
    ),
    hints=(
        "What is one answer's log q/p? Then: which difference does equation (17b.6) take σ of?",
        "Sum over the tokens of each answer; those behind its end are 0 in both models. β multiplies the difference.",
        "-F.logsigmoid(beta * ((chosen - reference_chosen).sum(-1) - (rejected - reference_rejected).sum(-1))).mean()",
    ),
    why="It is a logistic regression whose only feature is the margin of log-ratios. At the start q = p, every margin "
    "is 0 and the loss is ln 2, whatever the model. F.logsigmoid does not overflow where log(sigmoid) would.",
)  # fmt: skip
