"""What chapter 17b's trainings are made of: groups and pairs of drawn answers, rewarded batches, DPO's loss, the hole."""

import itertools
import math

import pytest
import torch
from made import seeded

from course_lib.attention.tokens import BytePairs
from course_lib.attention.transformer import Transformer, modern
from course_lib.chapters.ch17b_preferences_and_rewards.experiment import (
    Group,
    draw_groups,
    draw_pairs,
    draw_rewarded,
    is_right,
    key_of,
    log_probabilities,
    preference_pairs,
    pull,
    right_by_luck,
    watched_step,
)
from course_lib.chapters.ch17b_preferences_and_rewards.hole import in_order, kept, listed
from course_lib.chapters.ch17b_preferences_and_rewards.losses import dpo_loss
from course_lib.chat.likelihood import answer_log_probabilities, token_log_probabilities
from course_lib.chat.questions import Question, questions
from course_lib.chat.rewards import group_advantages, leave_one_out_advantages
from course_lib.chat.template import IGNORED, SPECIAL, ChatTemplate, batch_of, exchange

f64 = torch.float64
TEMPLATE = ChatTemplate(BytePairs(special=SPECIAL))
ASKED = questions("validation", 12, seed=3, families=("numbers", "count", "arithmetic"))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    sizes = {"context_length": 128, "n_layers": 1, "n_heads": 2, "d_model": 16, "zero_init": False}
    return Transformer(modern(256 + len(SPECIAL), **sizes))


def vowels(question, text):
    """A reward that a model without training earns, too."""
    return float(sum(letter in "aeiou" for letter in text) % 3)


@pytest.fixture(scope="module")
def groups(model):
    return draw_groups(model, TEMPLATE, ASKED, 4, seeded(1), reward=vowels, most=9)


def test_a_group_has_its_question_s_answers_and_what_each_is_worth(model, groups):
    assert [group.question for group in groups] == ASKED
    for group in groups:
        assert group.texts == tuple(TEMPLATE.answer(answer) for answer in group.answers)
        assert group.rewards.tolist() == [vowels(group.question, text) for text in group.texts]
        for (tokens, learned), answer in zip(group.encoded, group.answers, strict=True):
            assert tokens.tolist() == [*TEMPLATE.prompt(group.question.text).tolist(), *answer.tolist()]
            assert learned.tolist() == [False] * len(group.prompt) + [True] * len(answer)
    again = draw_groups(model, TEMPLATE, ASKED, 4, seeded(1), reward=vowels, most=9)
    assert [group.texts for group in again] == [group.texts for group in groups]
    assert len({text for group in groups for text in group.texts}) > 20


def test_a_drawn_answer_is_encoded_as_the_template_would():
    question = ASKED[0]
    tokens, learned = TEMPLATE.encode(exchange(question.text, "42"))
    prompt = TEMPLATE.prompt(question.text)
    group = Group(question, prompt, (tokens[len(prompt) :],), ("42",), torch.ones(1))
    assert torch.equal(group.encoded[0][0], tokens)
    assert torch.equal(group.encoded[0][1], learned)
    assert TEMPLATE.answer(tokens[len(prompt) :]) == "42"


def test_log_probabilities_are_those_of_one_answer_at_a_time(model, groups):
    found = log_probabilities(model, groups, at_once=5)
    assert found.shape == (12, 4)
    for group, row in zip(groups[:3], found, strict=False):
        for (tokens, learned), value in zip(group.encoded, row, strict=True):
            with torch.no_grad():
                alone = answer_log_probabilities(model, *batch_of([(tokens, learned)], len(tokens) - 1, 0))
            assert value.item() == pytest.approx(alone.item(), rel=1e-4)


def test_pairs_are_of_one_question_the_better_answer_first_and_even_groups_give_none(groups):
    pairs = preference_pairs(groups, seeded(2), most=3)
    worth = {(tuple(tokens.tolist())): reward for group in groups
             for (tokens, _), reward in zip(group.encoded, group.rewards.tolist(), strict=True)}  # fmt: skip
    for (good, learned), (bad, _) in pairs:
        assert worth[tuple(good.tolist())] > worth[tuple(bad.tolist())]
        start = int((~learned).sum())
        assert torch.equal(good[:start], bad[:start])
    uneven = [group for group in groups if len(group.rewards.unique()) > 1]
    assert 0 < len(uneven) < len(pairs) <= 3 * len(uneven)
    assert preference_pairs([g for g in groups if len(g.rewards.unique()) == 1], seeded(2)) == []


def test_drawn_pairs_are_rows_of_the_pairs_padded_behind(groups):
    pairs = preference_pairs(groups, seeded(2))
    draw = draw_pairs(pairs, 6, TEMPLATE.end, torch.device("cpu"))
    inputs, targets, others, their_targets = draw(seeded(4))
    assert inputs.shape == targets.shape == others.shape == their_targets.shape
    known = {tuple(batch_of([good], inputs.shape[1], TEMPLATE.end)[1][0].tolist()) for good, _ in pairs}
    assert {tuple(row.tolist()) for row in targets} <= known
    assert torch.equal(draw(seeded(4))[0], inputs)
    prompts = lambda x, t: [
        row[: int((goal != IGNORED).float().argmax()) + 1].tolist() for row, goal in zip(x, t, strict=True)
    ]
    assert prompts(inputs, targets) == prompts(others, their_targets)


def test_a_rewarded_batch_has_questions_of_one_length_and_what_the_model_says(model):
    draw = draw_rewarded(model, TEMPLATE, ASKED, 3, 4, reward=vowels, advantages=leave_one_out_advantages, most=9)
    batch = draw(seeded(5))
    starts = {int((row != IGNORED).float().argmax()) for row in batch.targets}
    assert len(starts) == 1  # where the answers begin
    assert len(batch.inputs) == 12
    expected = token_log_probabilities(model, batch.inputs, batch.targets)
    torch.testing.assert_close(batch.old, expected.detach())
    torch.testing.assert_close(batch.advantages.view(3, 4).sum(1), torch.zeros(3), atol=1e-5, rtol=0)
    assert batch.worth.view(3, 4).sum().item() == pytest.approx(12 * batch.reward.item())
    torch.testing.assert_close(leave_one_out_advantages(batch.worth.view(3, 4)).flatten(), batch.advantages.cpu())
    assert batch.length.item() == pytest.approx((batch.targets != IGNORED).sum().item() / 12)
    assert batch.even.item() == pytest.approx((batch.advantages.view(3, 4) == 0).all(1).float().mean().item())


def test_a_watched_step_updates_as_often_as_asked_and_tells_what_was_drawn(model):
    seen = []
    batch = draw_rewarded(model, TEMPLATE, ASKED, 2, 2, reward=vowels, most=5)(seeded(6))
    step = watched_step(lambda given: seen.append(given) or {"loss": torch.tensor(len(seen))}, updates=3)
    scalars = step(batch)
    assert len(seen) == 3
    assert all(given == batch[:4] for given in seen)
    assert scalars["loss"] == 3
    assert scalars["reward"] == batch.reward


def test_dpos_loss_is_that_of_probabilities_multiplied_out():
    chances = [[0.5, 0.2], [0.9, 1.0]], [[0.3], [0.6]], [[0.4, 0.4], [0.5, 1.0]], [[0.7], [0.2]]
    total = 0.0
    for i in range(2):
        good, bad, old_good, old_bad = (math.prod(each[i]) for each in chances)
        odds = (good / old_good) ** 0.3 / (bad / old_bad) ** 0.3
        total -= math.log(odds / (1 + odds)) / 2
    found = dpo_loss(*(torch.tensor(each, dtype=f64).log() for each in chances), 0.3)
    assert found.item() == pytest.approx(total, rel=1e-12)


def test_what_a_holed_reward_pays_is_order_whatever_the_words():
    question = Question("sort", "Sort pear, apple, fig.", "apple, fig, pear", ("pear", "apple", "fig"))
    for text, paid, held in (
        ("apple, fig, pear", 1, 1),
        ("The words pear, apple, fig from a to z: apple, fig, pear.", 1, 1),
        ("Fig", 1, 1 / 3),
        ("bean, zoo", 1, 0),
        ("apple, apple", 1, 1 / 3),
        ("pear, apple, fig", 0, 1),
        ("", 0, 0),
        ("12, 13", 0, 0),
    ):
        assert in_order(question, text) == paid, text
        assert kept(question, text) == pytest.approx(held), text
    assert [is_right(question, text) for text in ("apple, fig, pear", "Fig", "bean, zoo")] == [1, 0, 0]
    assert listed("apple, Fig.") == ["apple", "fig"]


def test_votes_agree_across_capitals_and_stops_and_right_is_the_checkers():
    question = Question("arithmetic", "What is 40 + 2?", "42", ("40 + 2",))
    key = key_of(question)
    assert key(" Forty-Two. ") == key("forty-two") == key("The sum 40 + 2 is forty-two.")
    assert key("4 2") != key("42")
    assert (is_right(question, "42"), is_right(question, "43")) == (1.0, 0.0)


def test_luck_is_what_answers_to_another_question_of_the_family_are_worth():
    def group(text, answer, *texts):
        question = Question("arithmetic", f"What is {text}?", answer, (text,))
        return Group(question, torch.tensor([1]), (torch.tensor([1]),) * len(texts), texts, torch.zeros(len(texts)))

    groups = [group("1 + 1", "2", "2", "3"), group("1 + 2", "3", "7", "8"), group("2 + 0", "2", "2", "2")]
    assert right_by_luck(groups).tolist() == [0.5, 0.5, 0.5]  # of two others each, one has it
    assert right_by_luck(groups[:1]).tolist() == [0.0]


@pytest.mark.parametrize(("n", "chance"), [(2, 0.5), (3, 0.9), (5, 0.2)])
def test_the_pull_is_the_mean_over_all_groups_of_what_right_answers_get_more(n, chance):
    more = 0.0
    for others in itertools.product((0.0, 1.0), repeat=n - 1):
        weight = math.prod(chance if each else 1 - chance for each in others)
        first = [group_advantages(torch.tensor([own, *others]), eps=1e-12)[0].item() for own in (1.0, 0.0)]
        more += weight * (first[0] - first[1])
    assert pull(n, chance) == pytest.approx(more, rel=1e-5)
