"""The learner writes context_counts: a table that counts, as a message goes on, what came after its last k symbols."""

import torch

from course_lib.chapters.ch01b_codes import contexts
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _past(n: int, symbols: int, seed: int) -> torch.Tensor:
    return torch.randint(symbols, (n,), generator=torch.Generator().manual_seed(seed))


def _variation(generator: torch.Generator) -> Probe:
    n, k, symbols = (int(torch.randint(low, high, (), generator=generator)) for low, high in ((0, 60), (0, 4), (2, 6)))
    return Probe((torch.randint(symbols, (n,), generator=generator), k, symbols))


def _counted(past: torch.Tensor, k: int, symbols: int, places: list[int]) -> torch.Tensor:
    """Return ones, and one more for the symbol at each of these places."""
    return 1 + torch.bincount(past[torch.tensor(places, dtype=torch.long)], minlength=symbols)


def _where(past: torch.Tensor, k: int, end: int) -> list[int]:
    return [i for i in range(k, end) if torch.equal(past[i - k : i], past[len(past) - k :])]


def _last_only(past: torch.Tensor, k: int, symbols: int) -> torch.Tensor:
    return _counted(past, k, symbols, [i for i in range(k, len(past)) if k == 0 or past[i - 1] == past[-1]])


def _no_overlap(past: torch.Tensor, k: int, symbols: int) -> torch.Tensor:
    places: list[int] = []
    free = 0
    for i in _where(past, k, len(past)):
        if i - k >= free:
            places, free = [*places, i], i
    return _counted(past, k, symbols, places)


def _misses_last(past: torch.Tensor, k: int, symbols: int) -> torch.Tensor:
    return _counted(past, k, symbols, _where(past, k, len(past) - 1))


ENTRY = Exercise(
    id="codes.context_counts",
    reference=contexts.context_counts,
    probes=lambda: [
        Probe((torch.tensor([0, 1, 1, 0, 1, 1]), 1, 2), says="past = [0, 1, 1, 0, 1, 1], k = 1, symbols = 2"),
        Probe((_past(40, 5, 1), 1, 5), says="40 symbols of 5, k = 1"),
        Probe((_past(90, 3, 2), 2, 3), says="90 symbols of 3, k = 2"),
        Probe((_past(25, 4, 3), 0, 4), says="25 symbols of 4, k = 0"),
        Probe((torch.tensor([1, 1, 1, 1, 1, 1, 1]), 2, 2), says="seven times the symbol 1, k = 2"),
        Probe((_past(3, 6, 4), 3, 6), says="3 symbols, k = 3"),
        Probe((_past(2, 7, 5), 4, 7), says="2 symbols, k = 4"),
        Probe((torch.tensor([2, 2, 2]), 2, 5), says="three times the symbol 2 of 5, k = 2: one place, and no symbol 4"),
        Probe((torch.tensor([0, 1, 0, 0]), 0, 9), says="4 symbols of 9, k = 0"),
    ],
    checked="nine pasts: k from 0 to 4, runs that overlap, a past just long enough, and pasts no longer than k.",
    gradients=False,
    variations=_variation,
    mistakes=(
        Mistake(
            "no_ones",
            {"torch.ones": "torch.zeros"},
            "the table begins with zeros",
            "what would a symbol cost that has not come yet?",
        ),
        Mistake(
            "all_symbols",
            {"windows[same, k]": "windows[:, k]"},
            "every symbol of the past counts, whatever stood before it",
            "only those count that came after the same k symbols: which are they?",
        ),
        Mistake(
            "zero_slice",
            lambda past, k, symbols: (
                contexts.context_counts(past, k, symbols) if k else torch.ones(symbols, dtype=torch.long)
            ),
            "for k = 0 nothing is counted",
            "past[-0:] is the whole past, not its last 0 symbols: where does the context begin, from the left?",
        ),
        Mistake(
            "first_only",
            {"windows[same, k]": "windows[same, k][:1]"},
            "only the first place where the context stood is counted",
            "a context that came often has been followed by many symbols.",
        ),
        Mistake(
            "own_last",
            {"windows[same, k]": "windows[same, k - 1]"},
            "the last symbol of the context is counted, not the one after it",
            "the context fills the places i − k … i − 1; what is to be predicted stands at i.",
        ),
        Mistake(
            "any_of_them",
            {".all(-1)": ".any(-1)"},
            "a context counts as the same where a single symbol of it agrees",
            "all k symbols have to agree, each in its place.",
        ),
        Mistake(
            "last_only",
            _last_only,
            "only the last symbol of the context is compared",
            "k symbols make the context: past[i − k : i] has to agree with all of them.",
        ),
        Mistake(
            "no_overlap",
            _no_overlap,
            "places of the context that overlap are counted once",
            "1 1 1 has the context 1 1 at two places: does yours look at each place?",
        ),
        Mistake(
            "misses_last",
            _misses_last,
            "the last symbol of the past is not counted",
            "range(k, n) ends with n − 1, the place of the last symbol, which also followed something.",
        ),
        Mistake(
            "shares",
            {"return table": "return table / table.sum()"},
            "shares come back in place of counts",
            "the coder cuts integers by integers; it divides by the sum itself.",
        ),
    ),
    hints=(
        "Past 0 1 0 1 1 0 with k = 1: the last symbol is 0, which came twice before; what followed it, each time?",
        "Compare past[i − k : i] with the last k symbols, for i from k to n − 1; count past[i] where they agree.",
        "context = past[len(past) − k :]; for i in range(k, len(past)): if torch.equal(past[i − k : i], context): "
        "table[past[i]] += 1",
    ),
    why="The past alone makes the table, so a reader who has decoded as far has the same one: nothing but the file is "
    "handed over. The course's own looks at all windows of k + 1 symbols at once.",
)
