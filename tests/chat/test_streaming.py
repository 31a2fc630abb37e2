"""A streamed answer against ``draw_answers``, closed halfway; a calculator against ``write_with_calculator``."""

import pytest
import torch
from elsewhere import SecondDevice, moved

from course_lib.attention.sampling import next_distribution
from course_lib.attention.tokens import BytePairs
from course_lib.attention.transformer import Transformer, modern
from course_lib.chat.sampling import draw_answers
from course_lib.chat.streaming import NEAR, Drawn, Written, stream_answer, stream_with_calculator
from course_lib.chat.template import SPECIAL, ChatTemplate
from course_lib.chat.tools import write_with_calculator


def model_of(vocab=6, **others):
    torch.manual_seed(0)
    sizes = {"context_length": 16, "n_layers": 2, "n_heads": 2, "d_model": 8, "zero_init": False}
    return Transformer(modern(vocab, **sizes | others))


MODEL = model_of()
for parameter in MODEL.parameters():
    torch.nn.init.normal_(parameter, std=0.5)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("knobs", [(0.0, None), (1.0, None), (0.7, 0.8), (2.0, 0.5)])
def test_the_tokens_are_those_that_draw_answers_draws(knobs):
    ended = set()
    for seed in range(24):
        prompt = torch.tensor([[1, 2], [3], [4, 5, 0]][seed % 3])
        stream = stream_answer(MODEL, prompt, seeded(seed), seed % 6, 3, *knobs)
        (answer,) = draw_answers(MODEL, [prompt], seeded(seed), seed % 6, 3, knobs[0], None, knobs[1])
        assert [drawn.token for drawn in stream] == answer.tolist()
        ended.add(answer[-1].item() == seed % 6)
    assert ended == {True, False}


def test_a_token_comes_with_the_model_s_probability_its_chance_and_the_five_most_probable():
    prompt, read = torch.tensor([1, 2]), [1, 2]
    for drawn in stream_answer(MODEL, prompt, seeded(3), 9, 6, 0.6, 0.7):
        with torch.no_grad():
            logits = MODEL(torch.tensor([read]))[0, -1]  # everything is read again: no cache
        own, chances = logits.softmax(-1), next_distribution(logits, 0.6, None, 0.7)
        assert len(drawn.alternatives) == NEAR == 5
        assert [each.token for each in drawn.alternatives] == own.topk(5).indices.tolist()
        for token, probability, chance in (drawn[:3], *drawn.alternatives):
            assert probability == pytest.approx(own[token].item(), abs=1e-6)
            assert chance == pytest.approx(chances[token].item(), abs=1e-6)
        assert min(each.chance for each in drawn.alternatives) == 0 < drawn.chance  # top-p cut some
        read.append(drawn.token)
    assert len(read) == 8


def test_who_closes_it_halfway_leaves_the_model_and_the_generator_as_they_were_then():
    generator, other, calls = seeded(1), seeded(1), []
    MODEL.train()
    with MODEL.register_forward_hook(lambda module, *_: calls.append((module.training, torch.is_grad_enabled()))):
        stream = stream_answer(MODEL, torch.tensor([1, 2]), generator, 9, 50)
        assert calls == []  # nothing is computed before it is asked for
        first = [next(stream), next(stream)]
        assert MODEL.training  # between two tokens, too
        assert torch.is_grad_enabled()
        stream.close()
    assert calls == [(False, False)] * 2
    (answer,) = draw_answers(MODEL, [torch.tensor([1, 2])], other, 9, 2)
    assert [drawn.token for drawn in first] == answer.tolist()
    assert torch.equal(generator.get_state(), other.get_state())  # two numbers were drawn, no third
    assert list(stream) == []
    MODEL.eval()


def test_mistakes_are_named_before_anything_is_drawn():
    with pytest.raises(ValueError, match="prompt: expected at least one token, got 0"):
        stream_answer(MODEL, torch.tensor([], dtype=torch.long), seeded(), 3, 4)
    with pytest.raises(ValueError, match="most: expected at least 1, got 0"):
        stream_answer(MODEL, torch.tensor([1]), seeded(), 3, 0)
    with pytest.raises(ValueError, match="temperature: expected a finite number"):
        stream_answer(MODEL, torch.tensor([1]), seeded(), 3, 4, -1.0)
    with pytest.raises(ValueError, match="p: expected a probability"):
        stream_answer(MODEL, torch.tensor([1]), seeded(), 3, 4, 1.0, 1.5)
    learned = model_of(positions="learned")
    assert len(list(stream_answer(learned, torch.tensor([1] * 13), seeded(), 6, 4))) == 4
    with pytest.raises(ValueError, match="prompt: expected at most 13 tokens before 4 others, got 14"):
        stream_answer(learned, torch.tensor([1] * 14), seeded(), 6, 4)
    with pytest.raises(ValueError, match="most_calls: expected at least 0, got -1"):
        stream_with_calculator(MODEL, TEMPLATE, torch.tensor([1]), seeded(), 4, most_calls=-1)


def test_a_model_on_another_device_streams_the_same():
    expected = list(stream_answer(MODEL, torch.tensor([1, 2]), seeded(), 9, 6))
    other = model_of()
    other.load_state_dict(MODEL.state_dict())
    other = moved(other)
    with SecondDevice():
        assert list(stream_answer(other, torch.tensor([1, 2]), seeded(), 9, 6)) == expected


# ")!" is one token: a call that it closes has something behind it
TEMPLATE = ChatTemplate(BytePairs(((ord(")"), ord("!")),), SPECIAL))


class Scripted(Transformer):
    """A Transformer that goes on as a script says: behind an answer that ends with a text another one, then <end>.

    script: the one text → the other; the first that fits is taken.
    """

    def __init__(self, script):
        super().__init__(modern(TEMPLATE.tokenizer.vocab_size, context_length=64, n_layers=1, n_heads=2, d_model=8))
        self.script, self.read, self.lengths = script, [], []

    def forward(self, tokens, cache=None):
        self.read = ([] if cache.length == 0 else self.read) + tokens[0].tolist()
        self.lengths.append(tokens.shape[1])
        cache.length += tokens.shape[1]
        answer = self.read[self.read.index(TEMPLATE.tokenizer.token["<assistant>"]) + 1 :]
        logits = torch.full((1, tokens.shape[1], self.config.vocab_size), -50.0)
        logits[..., self.next(answer)] = 50.0
        return logits

    def next(self, answer):
        known = TEMPLATE.tokenizer
        for start, text in self.script.items():
            code = [*known.encode(text).tolist(), TEMPLATE.end]
            for written in reversed(range(len(code))):
                if known.decode(answer).endswith(start + known.decode(code[:written])):
                    return code[written]
        return TEMPLATE.end


SCRIPTS = {
    "one call": {"= 42": ".", ": ": "so calc(6*7)"},
    "what is made up behind a call is dropped": {"= 2": ", so two", ": ": "calc(1+1) = 3"},
    "a token that closes a call and goes on": {"= 9": "?", "= 8": "; calc(9)!", ": ": "calc(8)!"},
    "an error": {"= error": " hm", ": ": "calc(1//0)"},
    "a space before the first word": {"= 4": " it is", ": ": " calc(2+2)"},
    "no call": {": ": "no calc( here"},
}
# the script begins behind the text ': ', which stands at the end of each question's answer so far
PROMPT = torch.cat([TEMPLATE.prompt("?"), TEMPLATE.tokenizer.encode(": ")])


def read(tokens):
    """What drawn tokens say, the spaces around it included."""
    return TEMPLATE.tokenizer.decode(tokens[: tokens.index(TEMPLATE.end)] if TEMPLATE.end in tokens else tokens)


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("most_calls", [0, 1, 4])
def test_the_calculator_writes_what_write_with_calculator_does(name, most_calls):
    model = Scripted(SCRIPTS[name])

    def write(text):
        prompt = torch.cat([PROMPT, TEMPLATE.tokenizer.encode(text)])
        return read(draw_answers(model, [prompt], seeded(), TEMPLATE.end, 40, 0.0)[0].tolist())

    expected = write_with_calculator(write, "", most_calls)
    text, tokens = "", []
    for each in stream_with_calculator(model, TEMPLATE, PROMPT, seeded(), 40, 0.0, None, most_calls):
        if isinstance(each, Written):
            assert (text + read(tokens)).startswith(each.before)
            text, tokens = each.before + each.text, []
        else:
            assert isinstance(each, Drawn)
            tokens.append(each.token)
    assert text + read(tokens) == expected
    assert tokens[-1] == TEMPLATE.end


def test_results_count_and_what_is_drawn_is_read_once():
    model = Scripted(SCRIPTS["one call"])
    many = list(stream_with_calculator(model, TEMPLATE, PROMPT, seeded(), 40, 0.0))
    written = [i for i, each in enumerate(many) if isinstance(each, Written)]
    assert many[written[0]] == ("so calc(6*7)", " = 42")
    assert model.lengths == [len(PROMPT)] + [1] * 11 + [len(PROMPT) + 12 + 5] + [1]
    for most in range(1, 20):
        few = list(stream_with_calculator(model, TEMPLATE, PROMPT, seeded(), most, 0.0))
        if most < 12:
            assert few == many[:most]
        elif most < 18:  # the result takes five
            assert few == many[:13]
        else:
            assert few == many[: most - 4]
