"""Tokens that nobody has read get vectors, and exchanges are drawn whole, padded, and by the generator."""

import pytest
import torch

from course_lib.attention.step import next_token_step
from course_lib.attention.tokens import BytePairs
from course_lib.attention.transformer import Transformer, modern
from course_lib.chat.questions import Question
from course_lib.chat.template import SPECIAL, ChatTemplate, batch_of, exchange
from course_lib.chat.tuning import draw_exchanges, encoded_exchanges, introduce

TEMPLATE = ChatTemplate(BytePairs((), SPECIAL))
TOKENS = [TEMPLATE.tokenizer.token[name] for name in SPECIAL]
ASKED = [
    Question("rhyme", "What rhymes with tree?", "free", ("tree",)),
    Question("sort", "Sort: b, a.", "a, b", ("b", "a")),
    Question("count", "How many e has tree?", "2", ("tree", "e")),
    Question("unknown", "Define blorket.", "I do not know.", ("define", "blorket")),
]


def model_of(seed=0):
    torch.manual_seed(seed)
    sizes = {"context_length": 64, "n_layers": 1, "n_heads": 2, "d_model": 32, "zero_init": False}
    return Transformer(modern(260, **sizes))


def test_special_tokens_begin_near_the_line_break_and_apart_from_each_other():
    model = model_of()
    near = model.embedding.weight[ord("\n")].detach().clone()
    introduce(model, TEMPLATE)
    vectors = model.embedding.weight.detach()[TOKENS]
    away = (vectors - near).norm(dim=1) / near.norm()
    torch.testing.assert_close(away, torch.full((4,), 0.5))
    assert torch.pdist(vectors).min() > 0.4 * near.norm()
    others = torch.cosine_similarity(model.embedding.weight.detach()[:256], near, dim=1).topk(2).values
    assert torch.cosine_similarity(vectors, near, dim=1).min() > 0.85 > others[1]


def test_nothing_else_is_touched_and_it_can_be_trained_as_before():
    model = model_of()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    introduce(model, TEMPLATE)
    for name, p in model.named_parameters():
        held = torch.ones(len(p), dtype=torch.bool)
        if p is model.embedding.weight:
            held[TOKENS] = False
            assert not (p == before[name])[TOKENS].any()
        assert torch.equal(p[held], before[name][held])
        assert p.requires_grad
        assert p.is_leaf
        assert p.grad is None


def test_the_seed_decides_the_vectors_and_noise_how_far_they_are():
    def introduced(seed=0, noise=0.5, model=0):
        other = model_of(model)
        introduce(other, TEMPLATE, seed, noise)
        return other.embedding.weight.detach()

    assert torch.equal(introduced(), introduced())
    assert not torch.equal(introduced()[TOKENS], introduced(seed=1)[TOKENS])
    assert torch.equal(introduced(noise=0.0)[TOKENS], introduced(noise=0.0)[[ord("\n")] * 4])
    near = introduced()[ord("\n")]
    torch.testing.assert_close((introduced(noise=2.0)[TOKENS] - near).norm(dim=1) / near.norm(), torch.full((4,), 2.0))
    model = model_of()
    introduce(model, TEMPLATE)
    introduce(model, TEMPLATE)  # what they were before does not matter
    assert torch.equal(model.embedding.weight, introduced())


def test_half_precision_stays_what_it_is():
    model = model_of().bfloat16()
    introduce(model, TEMPLATE)
    assert model.embedding.weight.dtype == torch.bfloat16
    assert len(model.embedding.weight[TOKENS].unique(dim=0)) == 4


def test_an_exchange_is_a_question_and_its_answer_as_a_sentence():
    encoded = encoded_exchanges(TEMPLATE, ASKED)
    for question, sentence, (tokens, learned) in zip(
        ASKED,
        ["The word tree rhymes with free.", "a, b", "The word tree has the letter e 2 times.", "I do not know."],
        encoded,
        strict=True,
    ):
        expected = TEMPLATE.encode(exchange(question.text, sentence))
        assert torch.equal(tokens, expected[0])
        assert torch.equal(learned, expected[1])
        assert TEMPLATE.answer(tokens[learned]) == sentence
    every = encoded_exchanges(TEMPLATE, ASKED, "all")
    assert all(torch.equal(one[0], other[0]) for one, other in zip(encoded, every, strict=True))
    assert all(learned.tolist() == [False, *[True] * (len(learned) - 1)] for _, learned in every)
    assert encoded_exchanges(TEMPLATE, []) == []


@pytest.mark.parametrize("filler", [TEMPLATE.end, 0])
def test_rows_are_exchanges_padded_to_the_longest_that_is_drawn(filler):
    encoded = encoded_exchanges(TEMPLATE, ASKED)
    draw, generator = draw_exchanges(encoded, 3, filler), torch.Generator().manual_seed(0)
    came, widths = torch.zeros(len(ASKED)), set()
    for _ in range(40):
        inputs, targets = draw(generator)
        width = inputs.shape[1]
        assert inputs.shape == targets.shape == (3, width)
        known = [batch_of([each], width, filler) if len(each[0]) <= width + 1 else None for each in encoded]
        rows = []
        for row, predicted in zip(inputs, targets, strict=True):
            rows += [i for i, each in enumerate(known) if each is not None and torch.equal(each[0][0], row)]
            assert torch.equal(known[rows[-1]][1][0], predicted)
        assert len(rows) == 3
        assert width == max(len(encoded[i][0]) for i in rows) - 1
        came += torch.tensor(rows).bincount(minlength=len(ASKED))
        widths.add(width)
    assert came.min() > 15
    assert len(widths) > 1


def test_the_generator_decides_what_is_drawn():
    draw = draw_exchanges(encoded_exchanges(TEMPLATE, ASKED), 8, TEMPLATE.end)
    one, same = (torch.Generator().manual_seed(3) for _ in range(2))
    first = draw(one)
    assert all(torch.equal(a, b) for a, b in zip(first, draw(same), strict=True))
    later = draw(one)
    assert first[0].shape != later[0].shape or not torch.equal(first[0], later[0])
    assert {each.device.type for each in draw_exchanges(encoded_exchanges(TEMPLATE, ASKED), 2, 0, "meta")(one)} == {
        "meta"
    }


def test_a_step_learns_from_what_is_drawn():
    model = model_of()
    introduce(model, TEMPLATE)
    draw = draw_exchanges(encoded_exchanges(TEMPLATE, ASKED[:2]), 4, TEMPLATE.end)
    step = next_token_step(model, [torch.optim.AdamW(model.parameters(), 3e-3)])
    batch = draw(torch.Generator().manual_seed(0))
    losses = [step(batch)["loss"].item() for _ in range(4)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 0.1
