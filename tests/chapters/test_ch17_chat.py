"""Chapter 17's own functions: masks and merges against other ways to the same, patients, sizes, pictures."""

import dataclasses
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.attention.tokens import BytePairs
from course_lib.attention.transformer import Transformer, modern
from course_lib.chapters.ch17_chat import asking, experiment, figures, patients, sizes
from course_lib.chapters.ch17_chat.low_rank import merged_weight
from course_lib.chapters.ch17_chat.masking import answers_alone
from course_lib.chapters.exercises import REGISTRY
from course_lib.chat.corpus import spelling_book, worksheet
from course_lib.chat.lora import LoRALinear
from course_lib.chat.questions import FAMILIES, ask, questions
from course_lib.chat.sentences import as_sentence
from course_lib.chat.template import SPECIAL, ChatTemplate, Turn, batch_of, exchange
from course_lib.evaluation.calibration import calibration

TEMPLATE = ChatTemplate(BytePairs((), SPECIAL))  # a token a byte


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Transformer(modern(260, context_length=256, n_layers=1, n_heads=2, d_model=8, zero_init=False)).eval()


def test_what_is_learned_is_what_the_template_and_its_batches_learn():
    turns = [Turn("system", "S"), *exchange("Hi", "Yo"), *exchange("and?", "no")], [*exchange("abc", "")]
    for conversation in turns:
        tokens, learned = TEMPLATE.encode(conversation)
        inputs, targets = answers_alone(tokens, TEMPLATE.tokenizer.token["<assistant>"], TEMPLATE.end)
        expected = batch_of([(tokens, learned)], len(tokens) - 1, TEMPLATE.end)
        assert torch.equal(inputs, expected[0][0])
        assert torch.equal(targets, expected[1][0])


def test_the_merged_matrix_does_what_the_layer_with_three_matrices_does():
    torch.manual_seed(1)
    layer = LoRALinear(nn.Linear(5, 3, bias=False).double(), rank=2, alpha=7.0)
    layer.up.data.normal_()
    x = torch.randn(4, 5, dtype=torch.float64)
    merged = merged_weight(layer.layer.weight, layer.down, layer.up, layer.alpha)
    torch.testing.assert_close(F.linear(x, merged), layer(x))
    torch.testing.assert_close(merged, layer.merged().weight)


def test_questions_are_asked_in_the_template_and_judged_in_their_order(model):
    asked = questions("test", 20)
    given = asking.answered(model, TEMPLATE, asked)
    assert len(given) == 20
    assert given == asking.answered(model, TEMPLATE, asked)
    own = [question.answer for question in asked]
    assert asking.right(asked, own).all()
    assert not asking.right(asked, own[::-1]).all()
    counts = asking.by_family(asked, asking.right(asked, own))
    assert counts == dict.fromkeys(FAMILIES, (2, 2))


def test_a_mask_has_the_fault_that_it_says():
    asked = questions("train", 3)
    sound = patients.encoded(TEMPLATE, asked, "")
    for (tokens, learned), (_, without), (_, every) in zip(
        sound,
        patients.encoded(TEMPLATE, asked, "end_not_learned"),
        patients.encoded(TEMPLATE, asked, "no_mask"),
        strict=True,
    ):
        assert (learned & ~without).nonzero().flatten().tolist() == [len(tokens) - 1]
        assert not (without & ~learned).any()
        assert every.sum() == len(tokens) - 1


def test_a_fault_of_use_changes_the_prompt_or_the_temperature_alone(model, monkeypatch):
    heard = []

    def draw(model, prompts, generator, stop, most, temperature):
        heard.append((prompts, temperature))
        return [torch.tensor([65, stop]) for _ in prompts]

    monkeypatch.setattr(patients, "draw_answers", draw)
    asked = questions("test", 4)
    for fault in ("", *patients.FAULTS):
        patients.drawn(model, TEMPLATE, asked, fault)
    found = dict(zip(("", *patients.FAULTS), heard, strict=True))
    sound = found[""]
    for fault, (prompts, temperature) in found.items():
        same = all(torch.equal(a, b) for a, b in zip(prompts, sound[0], strict=True))
        assert same == (fault not in ("roles_as_text", "question_cut"))
        assert temperature == (3.0 if fault == "temperature_3" else 0.0)
    assert all((prompt < 256).all() for prompt in found["roles_as_text"][0])
    for cut, whole in zip(found["question_cut"][0], sound[0], strict=True):
        assert torch.equal(cut[1:], whole[-len(cut) + 1 :])
        assert cut[0] == whole[0]
        assert len(cut) < 0.6 * len(whole) + 3


def test_patients_learn_and_are_measured(model):
    copied, losses = patients.tuned(model, TEMPLATE, "overfitted", steps=20)
    assert losses.steps == [10, 20]
    assert len(losses.training) == len(losses.held_out) == 2
    assert not torch.equal(copied.embedding.weight, model.embedding.weight)
    asked = questions("test", 5)
    answers = [TEMPLATE.encode([Turn("user", as_sentence(question))])[0][1:] for question in asked]
    assert patients.measured(TEMPLATE, asked, answers) == {"right": 1.0, "ended": 1.0, "begun": 1.0}
    endless = [torch.cat([tokens[:-1], tokens[:-1]]) for tokens in answers]
    found = patients.measured(TEMPLATE, asked, endless)
    assert found["ended"] == 0
    assert found["begun"] == 1
    assert found["right"] < 1


def test_the_faults_are_the_exercises_options():
    for id in ("chat.symptom_1", "chat.symptom_2"):
        assert set(REGISTRY.find(id).options) == set(patients.FAULTS)


def test_a_sheet_has_questions_that_the_sound_one_gets_right():
    asked = questions("test", patients.KEPT, seed=8)
    sound = [as_sentence(question) if i % 2 else "?" for i, question in enumerate(asked)]
    each = {fault: {"said": [fault] * len(asked)} for fault in patients.FAULTS} | {"sound": {"said": sound}}
    chosen, said, found, steps = patients.sheet({"patients": each, "steps": [10], "asked": 40})
    assert [question.text for question in chosen] == [asked[i].text for i in (1, 3, 5, 7, 9)]
    assert said == {"sound": sound[1:10:2], "A": ["end_not_learned"] * 5, "B": ["overfitted"] * 5}
    assert list(found) == ["sound", "A", "B"]
    assert {each["asked"] for each in found.values()} == {40}
    assert steps == [10]


def test_published_sizes_give_published_operations():
    by_name = {each.name: each for each in sizes.PUBLISHED}
    assert by_name["GPT-3"].worked_out == pytest.approx(3.15e23)
    assert all(0.97 < each.worked_out / each.operations < 1.03 for each in sizes.PUBLISHED if each.operations)
    assert by_name["DeepSeek-V3"].millions == pytest.approx(5.328)
    assert by_name["GPT-3"].millions == 0
    rows = sizes.table().splitlines()
    assert len(rows) == 1 + len(sizes.PUBLISHED)
    assert rows[2].split()[:3] == ["InstructGPT", "46,000", "–"]


def test_texts_of_pictures_are_cut_and_have_no_formulas():
    assert figures.plain("one two\nthree $x$ four five", 9, 2) == "one\ntwo⏎three …"
    assert figures.plain("", 9) == "(nothing)"
    assert figures.plain("$5", 9) == r"\$5"


def test_pictures_have_titles():
    asked = questions("test", 10)
    own = [question.answer for question in asked]
    found = calibration(torch.rand(50, dtype=torch.float64), torch.rand(50) > 0.5)
    steps = [5, 10]
    drawings = (
        figures.answers(asked[:2], {"a": own[:2], "b": ["", "x\ny"]}, {"a": [True, True], "b": [False, False]}, "said"),
        figures.families(asked),
        figures.tokens_and_targets(["<user>", "a"], [None, "b"]),
        figures.curves(steps, {"x": [[2.0, 1.0]], "y": [[2.0, 0.5]]}, {5: 1.0}, "falls"),
        figures.scores({"a": [[1] * 9 + [-1]] * 5, "b": [[9] * 10] * 5}, 10, "more", {"count": 0.3}),
        figures.adapters((1, 2), (10, 20), {"s": [[0.1, 0.2], [0.2, 0.3]]}, {"s": (100, [0.5])}, ("up",), 0.1),
        figures.cheap([0, 1], [[0.5, 0.4]], [1, 4], [[0.4, 0.5]], 0.5, ("down", "up")),
        figures.reliability(found, {"define": ([0.3, 0.2], [0.1, 0.2])}, ("sure", "less")),
        figures.patients(
            asked[:2],
            {"A": own[:2]},
            {"A": {"training": [1, 2], "held out": [2, 1], "right": 0.5, "ended": 1.0, "asked": 10}},
            steps,
        ),
        figures.how_far({"parameters": 1e6, "tokens": 1e8}, sizes.PUBLISHED, "far"),
    )
    for figure in drawings:
        assert any(ax.get_title(loc="left") for ax in figure.axes)
        figure.canvas.draw()


def test_a_question_as_a_line_of_a_book_has_the_lines_beginning():
    for question in questions("test", 100) + questions("validation", 100):
        line = experiment.book_line(question)
        assert line.startswith(("The ", "From ", "In Python "))
        assert all(said in line for said in experiment.said_of(question).values())
    (spell,) = ask("spell", "test", 1)
    word = spell.about[0]
    book = f"The word {word} is written {'-'.join(word)}."
    assert book in set(spelling_book())
    assert experiment.book_line(spell) == book[: len(f"The word {word} is written")]
    (days,) = ask("days", "test", 1)
    lines = set(worksheet("days", 3000))
    known = {line.rsplit(" it is", 1)[0] for line in lines}
    assert all(line.startswith("From") for line in known)
    assert experiment.book_line(days).endswith(" it is")
    with pytest.raises(ValueError, match="question: expected one of the wordings of 'spell', got 'Spell it'"):
        experiment.book_line(dataclasses.replace(spell, text="Spell it"))


def test_a_test_question_as_a_line_names_what_it_is_about():
    """'Please spell out tree.' is also a training wording, of a word 'out tree'."""
    for family in ("define", "rhyme", "spell"):
        for question in ask(family, "test", 40):
            assert experiment.said_of(question) == {"word": question.about[0]}


def test_a_sentence_stands_in_a_book_word_for_word_or_tells_a_rhyme():
    asked = [ask(family, "test", 1)[0] for family in ("define", "spell", "rhyme")]
    assert all(experiment.stands_in_a_book(as_sentence(question)) for question in asked)
    word = asked[0].about[0]
    for other in (f"The word {word} means blah blah.", f"The word {word} rhymes with {word}.", f"The word {word} means",
                  f"The word {word} is written {'-'.join(word[::-1])}.", "The word ouquab rhymes with crab."):  # fmt: skip
        assert not experiment.stands_in_a_book(other)


def test_examples_stand_before_a_question_and_are_of_training(model):
    (question,) = ask("arithmetic", "test", 1)
    text = experiment.behind_examples(question)
    assert text.count("Question: ") == 3
    assert text.endswith(f"Question: {question.text}\nAnswer:")
    assert question.answer not in text.split("\n")[1]
    (given,) = experiment.completed(model, TEMPLATE, [text])
    assert "\n" not in given


def test_confidence_is_the_product_of_the_answers_tokens(model):
    asked = questions("test", 3)
    given = ["a", "bc", asked[2].answer]
    found = experiment.confidence(model, TEMPLATE, asked, given)
    for i, (question, text) in enumerate(zip(asked, given, strict=True)):
        tokens, learned = TEMPLATE.encode(exchange(question.text, text))
        with torch.no_grad():
            log_p = model(tokens[None, :-1])[0].log_softmax(-1)
        expected = sum(log_p[t - 1, tokens[t]].item() for t in learned.nonzero().flatten().tolist())
        assert math.log(found[i].item()) == pytest.approx(expected, rel=1e-4)


def test_a_second_turn_reads_the_first():
    first, second = questions("train", 2)
    prompt = experiment.second_turn(TEMPLATE, first, second).tolist()
    assert prompt.count(TEMPLATE.end) == 3
    assert prompt[-len(TEMPLATE.prompt(second.text)) :] == TEMPLATE.prompt(second.text).tolist()
