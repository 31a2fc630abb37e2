"""The learner chooses a baseline that leaves the policy gradient unbiased."""

from course_lib.chat import rewards
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _probe(*shape: int, seed: int) -> Probe:
    return Probe((2 * random(*shape, seed=seed, shift=0.7),))


ENTRY = Exercise(
    id="prefer.leave_one_out_advantages",
    reference=rewards.leave_one_out_advantages,
    probes=lambda: [_probe(3, 5, seed=1), _probe(1, 2, seed=2), _probe(4, 3, seed=3), _probe(2, 3, 4, seed=4)],
    checked="groups of 2 to 5 answers, for 1 to 6 questions.",
    gradients=False,
    mistakes=(
        Mistake(
            "own_in_the_mean",
            {" * n / (n - 1)": ""},
            "each answer's own reward is in its baseline",
            "then the baseline depends on the answer it is taken from, and the gradient shrinks by (n − 1)/n.",
        ),
        Mistake(
            "scale_upside_down",
            {"n / (n - 1)": "(n - 1) / n"},
            "the factor is (n − 1)/n",
            "try two answers with rewards 1 and 0: what is the other one's reward?",
        ),
        Mistake(
            "whole_batch",
            lambda rewards: rewards - (rewards.sum() - rewards) / (rewards.numel() - 1),
            "the mean is over the other answers to *all* questions",
            "unbiased, too; but then every answer to an easy question is praised. Compare with the same question.",
        ),
        Mistake(
            "batch_mean",
            lambda rewards: rewards - rewards.mean(),
            "the mean of the whole batch is the baseline",
            "it holds the answer itself, and other questions: compare with the others to the *same* question.",
        ),
        Mistake(
            "no_baseline",
            lambda rewards: rewards.clone(),
            "nothing is taken off",
            "unbiased, but where all rewards are high every answer is made likelier, and the noise is large.",
        ),
        Mistake(
            "turned",
            {"(rewards - rewards.mean(-1, keepdim=True))": "(rewards.mean(-1, keepdim=True) - rewards)"},
            "the sign is turned",
            "a better answer than the others is to become likelier.",
        ),
        Mistake(
            "standardised",
            lambda rewards: (rewards - rewards.mean(-1, keepdim=True)) / rewards.std(-1, keepdim=True),
            "the group's mean is taken off, and the rest divided by its standard deviation",
            "that is GRPO's: mean and deviation hold the answer itself, so its gradient is another. Which numbers do "
            "not depend on this answer?",
        ),
        Mistake(
            "sum_of_others",
            lambda rewards: rewards - (rewards.sum(-1, keepdim=True) - rewards),
            "the others' rewards are added up",
            "their *mean* is comparable with one reward.",
        ),
        Mistake(
            "over_n",
            {"(rewards - rewards.mean(-1, keepdim=True)) * n / (n - 1)":
             "rewards - (rewards.sum(-1, keepdim=True) - rewards) / n"},
            "the sum of the others is divided by n",
            "how many others are there?",
        ),
    ),
    hints=(
        "The baseline of one answer must not depend on that answer. What may it depend on?",
        "On all other answers to the same question: their mean is an estimate of E r.",
        "rewards - (rewards.sum(-1, keepdim=True) - rewards) / (rewards.shape[-1] - 1)",
    ),
    why="r − (Σ − r)/(n − 1) is n/(n − 1) times r less the group's mean: so the group's own mean is no disaster, it "
    "takes (n − 1)/n of the gradient, which the rate makes up for.",
)  # fmt: skip
