"""What the chapter's trainings are made of: groups of drawn answers, pairs of them, and batches with their rewards."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.attention.transformer import Transformer
from course_lib.chat.checks import check, said
from course_lib.chat.likelihood import answer_log_probabilities, token_log_probabilities
from course_lib.chat.questions import Question
from course_lib.chat.rewards import group_advantages
from course_lib.chat.sampling import draw_answers
from course_lib.chat.template import ChatTemplate, batch_of
from course_lib.training.eval_mode import evaluating
from course_lib.training.fit import Draw, Step

MOST = 48  # tokens of an answer
Reward = Callable[[Question, str], float]
Encoded = tuple[Tensor, Tensor]  # the tokens of a conversation, and which of them are learned
Pair = tuple[Encoded, Encoded]  # of one question: the answer that is preferred, and the other


@dataclass(frozen=True)
class Group:
    """A question with the answers that were drawn for it: as tokens, as texts, and what each is worth."""

    question: Question
    prompt: Tensor
    answers: tuple[Tensor, ...]
    texts: tuple[str, ...]
    rewards: Float[Tensor, "answers"]

    @property
    def encoded(self) -> list[Encoded]:
        """Each answer behind the prompt, as tokens, of which the answer's are learned."""
        return [(torch.cat([self.prompt, answer]), self._learned(len(answer))) for answer in self.answers]

    def _learned(self, n: int) -> Tensor:
        return torch.arange(len(self.prompt) + n) >= len(self.prompt)


def is_right(question: Question, text: str) -> float:
    """Return 1 for an answer that the checker takes, else 0."""
    return float(check(question, text).right)


def key_of(question: Question) -> Callable[[str], str]:
    """Return what two answers have to share to agree in a vote: what they say, but not capitals or a full stop."""
    return lambda text: " ".join(said(question.family, text.strip()).lower().strip(" .").split())


def draw_groups(
    model: Transformer,
    template: ChatTemplate,
    questions: Sequence[Question],
    n: int,
    generator: torch.Generator,
    temperature: float = 1.0,
    reward: Reward = is_right,
    most: int = MOST,
) -> list[Group]:
    """Return a group of n drawn answers for each question; generator: on the CPU."""
    prompts = [template.prompt(question.text) for question in questions]
    repeated = list(itertools.chain(*([prompt] * n for prompt in prompts)))
    drawn = draw_answers(model, repeated, generator, template.end, most, temperature)
    groups = []
    for i, (question, prompt) in enumerate(zip(questions, prompts, strict=True)):
        answers = tuple(drawn[i * n : (i + 1) * n])
        texts = tuple(template.answer(answer) for answer in answers)
        rewards = torch.tensor([reward(question, text) for text in texts])
        groups.append(Group(question, prompt, answers, texts, rewards))
    return groups


def pull(n: int, chance: float) -> float:
    """Return how much larger a right answer's advantage is than a wrong one's, a mean over GRPO's groups of n.

    Rewards are 0 and 1, and an answer is right by this chance. A share m of the group makes A = 1 − m for the right and
    −m for the others, over a spread of (m (1 − m) n/(n − 1))^½; so the mean of A r is ((1 − 1/n) m (1 − m))^½, which is
    the difference times chance (1 − chance). Without the division the difference is the same for all chances.
    """
    share = torch.arange(n + 1, dtype=torch.float64) / n
    weight = torch.distributions.Binomial(n, torch.tensor(chance, dtype=torch.float64)).log_prob(n * share).exp()
    return (weight @ ((1 - 1 / n) * share * (1 - share)).sqrt()).item() / (chance * (1 - chance))


def right_by_luck(groups: Sequence[Group]) -> Float[Tensor, "groups"]:
    """Return how often one of the answers to another question of its family is right for each question.

    A mean over the other groups of the family; 0 where there is none.
    """
    found = []
    for group in groups:
        family = [g for g in groups if g is not group and g.question.family == group.question.family]
        any_right = [max(is_right(group.question, text) for text in other.texts) for other in family]
        found.append(sum(any_right) / max(1, len(any_right)))
    return torch.tensor(found)


@torch.no_grad()
def log_probabilities(model: Transformer, groups: Sequence[Group], at_once: int = 256) -> Float[Tensor, "groups n"]:
    """Return the log-probability of each answer as a whole, on the CPU."""
    every = list(itertools.chain(*(group.encoded for group in groups)))
    length = max(len(tokens) for tokens, _ in every) - 1
    device, found = model.embedding.weight.device, []
    with evaluating(model):
        for first in range(0, len(every), at_once):
            batch = batch_of(every[first : first + at_once], length, filler=0)
            found.append(answer_log_probabilities(model, *(each.to(device) for each in batch)).cpu())
    return torch.cat(found).view(len(groups), -1)


def preference_pairs(groups: Sequence[Group], generator: torch.Generator, most: int = 2) -> list[Pair]:
    """Return up to most drawn pairs of each group, a better and a worse answer; none where all are worth as much."""
    pairs = []
    for group in groups:
        both = [(i, j) for i, j in itertools.permutations(range(len(group.texts)), 2)
                if group.rewards[i] > group.rewards[j]]  # fmt: skip
        encoded = group.encoded
        for place in torch.randperm(len(both), generator=generator)[:most].tolist():
            i, j = both[place]
            pairs.append((encoded[i], encoded[j]))
    return pairs


def draw_pairs(
    pairs: Sequence[Pair], size: int, filler: int, device: torch.device
) -> Draw[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Return the function that draws size pairs as ``dpo_step`` takes them, padded to the longest of all."""
    length = max(len(tokens) for pair in pairs for tokens, _ in pair) - 1
    good, bad = (batch_of([pair[side] for pair in pairs], length, filler) for side in (0, 1))
    whole = [each.to(device) for each in (*good, *bad)]

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rows = torch.randint(len(pairs), (size,), generator=generator).to(device)
        inputs, targets, others, their_targets = (each[rows] for each in whole)
        return inputs, targets, others, their_targets

    return draw


class Rewarded(NamedTuple):
    """Drawn answers as ``reward_step`` takes them, and what is watched: means over the batch."""

    inputs: Tensor
    targets: Tensor
    old: Tensor
    advantages: Tensor
    worth: Tensor  # (answers,), the reward of each
    reward: Tensor
    judged: Tensor  # what a second judge says, who pays nothing
    length: Tensor  # tokens of an answer, its end among them
    even: Tensor  # share of the groups whose answers are all worth the same: they teach nothing


def draw_rewarded(
    model: Transformer,
    template: ChatTemplate,
    pool: Sequence[Question],
    n_questions: int = 16,
    n_answers: int = 8,
    reward: Reward = is_right,
    advantages: Callable[[Tensor], Tensor] = group_advantages,
    judge: Reward | None = None,
    most: int = MOST,
) -> Draw[Rewarded]:
    """Return the function that draws questions, has the model as it is then answer them, and rewards the answers.

    The questions of one batch are of one length, so that all answers are drawn together: a question is drawn, then
    others as long as it. judge: what is watched beside the reward; the reward itself where there is none.
    """
    by_length: dict[int, list[Question]] = defaultdict(list)
    for question in pool:
        by_length[len(template.prompt(question.text))].append(question)
    device = model.embedding.weight.device

    def draw(generator: torch.Generator) -> Rewarded:
        first = pool[int(torch.randint(len(pool), (), generator=generator))]
        alike = by_length[len(template.prompt(first.text))]
        chosen = [first, *(alike[i] for i in torch.randint(len(alike), (n_questions - 1,), generator=generator))]
        groups = draw_groups(model, template, chosen, n_answers, generator, reward=reward, most=most)
        encoded = list(itertools.chain(*(group.encoded for group in groups)))
        length = max(len(tokens) for tokens, _ in encoded) - 1
        inputs, targets = (each.to(device) for each in batch_of(encoded, length, template.end))
        with torch.no_grad():
            old = token_log_probabilities(model, inputs, targets)
        rewards = torch.stack([group.rewards for group in groups])
        spoken = torch.tensor([float(learned.sum()) for _, learned in encoded])
        even = (rewards == rewards[:, :1]).all(1).float()
        also = torch.tensor([(judge or reward)(group.question, text) for group in groups for text in group.texts])
        watched = (each.mean().to(device) for each in (rewards, also, spoken, even))
        return Rewarded(inputs, targets, old, advantages(rewards).flatten().to(device), rewards.flatten(), *watched)

    return draw


def watched_step(one: Step, updates: int = 2) -> Step:
    """Return a step that takes ``reward_step``'s on each batch so many times, and returns what is watched as well."""

    def step(batch: Rewarded) -> dict[str, Tensor]:
        for _ in range(updates):
            scalars = one(batch[:4])
        return {**scalars, **{name: getattr(batch, name) for name in ("reward", "judged", "length", "even")}}

    return step
