"""The learner lays words and symbols out in one sequence: what is read, and what is asked where."""

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.attention import captioned
from course_lib.attention.captioned import IGNORED, CaptionedTransformer
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


class Sizes(CaptionedTransformer):
    """What the layout needs of a model, without its weights: how many symbols there are, words, and places."""

    def __init__(self, symbols: int, length: int, places: int) -> None:
        nn.Module.__init__(self)
        self.symbols, self.length, self.places = symbols, length, places


def _drawn(n: int, sizes: Sizes, generator: torch.Generator) -> tuple:
    captions = torch.randint(7, (n, sizes.length), generator=generator)
    return sizes, captions, torch.randint(sizes.symbols, (n, sizes.places), generator=generator)


def _probe(n: int, symbols: int, length: int, places: int, seed: int) -> Probe:
    sizes = Sizes(symbols, length, places)
    says = f"a model of {symbols} symbols, captions ({n}, {length}), symbols ({n}, {places})"
    return Probe(_drawn(n, sizes, torch.Generator().manual_seed(seed)), says)


def _variation(generator: torch.Generator) -> Probe:
    n, length, places = (int(torch.randint(2, 6, (), generator=generator)) for _ in range(3))
    return Probe(_drawn(n, Sizes(9, length, places), generator))


def _asked(words: int, value: int = IGNORED):
    """With so many fewer words in front of the targets than the caption has."""
    return lambda symbols, sizes: F.pad(symbols, (sizes.length - words, 0), value=value)


def _read(model, captions, symbols):
    return torch.cat([model.read(captions), symbols[:, :-1]], dim=1)


def _of(read, targets):
    return lambda model, captions, symbols: (read(model, captions, symbols), targets(symbols, model))


def _words_asked(model, captions, symbols):
    read = model.read(captions)
    return _read(model, captions, symbols), torch.cat([read[:, 1:], symbols], dim=1)


def _words_asked_alone(model, captions, symbols):
    read = _read(model, captions, symbols)
    return read, torch.cat([model.read(captions)[:, 1:], torch.full_like(symbols, IGNORED)], dim=1)


def _ahead(symbols, model):
    return F.pad(symbols[:, 1:], (model.length - 1, 1), value=IGNORED)


ENTRY = Exercise(
    id="text.inputs_and_targets",
    reference=captioned.inputs_and_targets,
    probes=lambda: [_probe(2, 9, 3, 4, 1), _probe(1, 8, 5, 6, 2), _probe(4, 11, 2, 3, 3)],
    checked="three sizes, a batch of one among them: what is read, and what is asked at each position.",
    outputs=("read", "targets"),
    gradients=False,
    variations=_variation,
    mistakes=(
        Mistake(
            "same_symbol",
            _of(_read, lambda symbols, model: F.pad(symbols[:, :-1], (model.length, 0), value=IGNORED)),
            "each symbol is asked for where it is read",
            "then copying is all that there is to learn. Which position has seen all that comes before a symbol, and "
            "not itself?",
        ),
        Mistake(
            "one_ahead",
            _of(_read, _ahead),
            "the target is the symbol after the next",
            "the position that reads the last word is to be asked for the first symbol.",
        ),
        Mistake(
            "words_asked",
            _words_asked,
            "the next word is asked for, too",
            "captions are given. At all words but the last the target is −100.",
        ),
        Mistake(
            "words_asked_alone",
            _words_asked_alone,
            "words are asked for, and symbols are not",
            "it is the picture that is to be drawn, given the words.",
        ),
        Mistake(
            "zero_asked",
            _of(_read, _asked(1, value=0)),
            "symbol 0 is asked for at the words",
            "0 is a symbol like the others; −100 is what cross-entropy leaves out.",
        ),
        Mistake(
            "words_are_symbols",
            lambda model, captions, symbols: (
                torch.cat([captions, symbols[:, :-1]], dim=1),
                _asked(1)(symbols, model),
            ),
            "words keep their own numbers, which are those of symbols",
            "word 3 and symbol 3 would have one vector. What is model.read for?",
        ),
        Mistake(
            "picture_first",
            lambda model, captions, symbols: (
                torch.cat([symbols, model.read(captions)[:, :-1]], dim=1),
                F.pad(symbols[:, 1:], (0, model.length), value=IGNORED),
            ),
            "the picture comes before the words",
            "a position sees what is before it: the words have to be there first.",
        ),
    ),
    hints=(
        "Write one row down by hand: two words, three symbols. Under each position write what has to come next.",
        "The last symbol is predicted and never read. F.pad(x, (n, 0), value=v) puts n times v in front of each row.",
        "read = words, then all symbols but the last; targets = −100 for all words but the last, then all symbols.",
    ),
    why="A Transformer of 20 words and 64 symbols is trained on all 64 predictions of a picture at once, as a position "
    "sees only what lies before it. The loss is then −log p(picture | caption) over the number of symbols, and no part "
    "of the network is spent on predicting captions. The first DALL·E did weigh the words' loss, too, with 1/8.",
)
