"""Answers that end, against drawing one token at a time; the best of several and the vote, by hand."""

import pytest
import torch

from course_lib.attention.sampling import generate
from course_lib.attention.transformer import Transformer, modern
from course_lib.chat.sampling import best_of, draw_answers, vote


def model_of(**others):
    torch.manual_seed(0)
    sizes = {"context_length": 16, "n_layers": 1, "n_heads": 2, "d_model": 8, "zero_init": False}
    return Transformer(modern(6, **sizes | others))


MODEL = model_of()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_answer_is_what_generate_draws_cut_behind_the_stop(temperature):
    lengths = set()
    for seed, prompt in enumerate([[1, 2], [3], [4, 5], [0, 1, 2], [2], [1]]):
        (answer,) = draw_answers(MODEL, [torch.tensor(prompt)], seeded(seed), seed, 7, temperature)
        whole = generate(MODEL, torch.tensor([prompt]), 7, seeded(seed), temperature)[0, len(prompt) :].tolist()
        assert answer.tolist() == (whole[: whole.index(seed) + 1] if seed in whole else whole)
        lengths.add(len(answer))
    assert len(lengths) > temperature


def test_greedy_answers_do_not_depend_on_who_is_drawn_beside_them():
    prompts = [torch.tensor(p) for p in ([1, 2], [3], [4, 5], [0, 1, 2], [2], [5, 5])]
    together = draw_answers(MODEL, prompts, seeded(), 4, 6, temperature=0)
    in_pairs = draw_answers(MODEL, prompts, seeded(), 4, 6, temperature=0, at_once=2)
    alone = [draw_answers(MODEL, [prompt], seeded(), 4, 6, temperature=0)[0] for prompt in prompts]
    for answers in (together, in_pairs):
        assert [answer.tolist() for answer in answers] == [answer.tolist() for answer in alone]


def test_answers_come_in_the_prompts_order_end_at_the_first_stop_and_follow_the_seed():
    prompts = [torch.tensor([i % 6] * (1 + i % 3)) for i in range(20)]
    one, same, other = (draw_answers(MODEL, prompts, seeded(s), 3, most=9) for s in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert any(a.tolist() != b.tolist() for a, b in zip(one, other, strict=True))
    for answer in one:
        assert 1 <= len(answer) <= 9
        assert 3 not in answer[:-1].tolist()
        assert answer[-1] == 3 or len(answer) == 9


def test_first_tokens_come_as_often_as_the_model_says():
    n = 4_000
    answers = draw_answers(MODEL, [torch.tensor([1, 2])] * n, seeded(), 3, most=1)
    share = torch.cat(answers).bincount(minlength=6) / n
    with torch.no_grad():
        p = MODEL(torch.tensor([[1, 2]]))[0, -1].softmax(-1)
    assert ((share - p).abs() < 5 * (p * (1 - p) / n).sqrt()).all()


def test_the_model_keeps_its_mode_and_knobs_are_passed_on():
    MODEL.train()
    only = draw_answers(MODEL, [torch.tensor([1])] * 50, seeded(), 3, most=4, top_k=1)
    assert MODEL.training
    greedy = draw_answers(MODEL, [torch.tensor([1])], seeded(), 3, most=4, temperature=0)[0]
    assert all(torch.equal(answer, greedy) for answer in only)
    assert draw_answers(MODEL, [], seeded(), 3, most=4) == []


def test_drawing_ends_when_the_last_answer_has():
    first = draw_answers(MODEL, [torch.tensor([1])], seeded(), 5, most=1, temperature=0)[0].item()
    calls = []
    with MODEL.register_forward_hook(lambda *_: calls.append(1)):
        answers = draw_answers(MODEL, [torch.tensor([1])] * 3, seeded(), first, most=9, temperature=0)
    assert [answer.tolist() for answer in answers] == [[first]] * 3
    assert len(calls) == 1


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="prompts: expected at least one token in each, got 0"):
        draw_answers(MODEL, [torch.tensor([], dtype=torch.long)], seeded(), 3, most=4)
    with pytest.raises(ValueError, match="most, at_once: expected at least 1, got 0 and 256"):
        draw_answers(MODEL, [torch.tensor([1])], seeded(), 3, most=0)
    learned = model_of(positions="learned")
    assert len(draw_answers(learned, [torch.tensor([1] * 13)], seeded(), 6, most=4)[0]) == 4
    with pytest.raises(ValueError, match="prompts: expected at most 13 tokens before 4 others, got 14"):
        draw_answers(learned, [torch.tensor([1] * 14)], seeded(), 6, most=4)
    for function in (best_of, vote):
        with pytest.raises(ValueError, match="answers: expected at least one, got none"):
            function([], len)


def test_the_best_of_several():
    assert best_of(["ab", "abcd", "wxyz", "c"], len) == "abcd"


@pytest.mark.parametrize(
    ("answers", "elected"),
    [
        (["it is 4", "4.", "5", "it is 4!"], "it is 4"),
        (["5", "4", "4", "5"], "5"),
        (["?", "?", "?", "7"], "7"),
        (["?", "what"], None),
    ],
)
def test_a_vote(answers, elected):
    number = lambda text: next((c for c in text if c.isdigit()), None)
    assert vote(answers, number) == elected
