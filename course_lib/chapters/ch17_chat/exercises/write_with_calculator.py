"""The learner writes the loop around a model that may call a calculator."""

import torch

from course_lib.chat import tools
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

TIMES = ("1st", "2nd", "3rd", "4th", "5th")  # that the writer is asked, at most; a learner's loop may ask it again
HEARD = ("what is written", *(f"what write was given the {time} time" for time in TIMES), "what it was given later")


def _heard(function, pieces: tuple[str, ...], prompt: str, most_calls: int = 4, limits=None) -> tuple | None:
    """Return what was written and what the writer was given, as ``HEARD`` names it; pieces: what it writes in turn."""
    said, given = iter(pieces), []

    def write(text):
        given.append(text)
        if len(given) > 20:
            raise RuntimeError("the model was asked more than 20 times")
        return next(said, "")

    written = function(write, prompt, most_calls, limits)
    if written is None:
        return None
    times = [f"{text}" for text in given[: len(TIMES)]]
    return written, *times, *[""] * (len(TIMES) - len(times)), " | ".join(map(str, given[len(TIMES) :]))


def _probe(prompt: str, *pieces: str, most_calls: int = 4) -> Probe:
    return Probe((pieces, prompt, most_calls), f"the prompt {prompt!r}, most_calls = {most_calls}, and a model that "
                 f"writes {', then '.join(map(repr, pieces))}")  # fmt: skip


def _variation(generator: torch.Generator) -> Probe:
    some = ("calc(2 + 3)", "so calc(7 * 8) = 50, I think", " no call", "", " calc(1 // 0) and on", "calc((4) - 1) then")

    def draw(n: int) -> int:
        return int(torch.randint(n, (), generator=generator))

    pieces = [some[draw(len(some))] for _ in range(draw(5) + 1)]
    return _probe(("What is 4 * 4?", "calc(9) is what?")[draw(2)], *pieces, most_calls=draw(4))


LOOK = "call = find_call(text, before, answered=True)  # what is behind it is made up"
RESULT = "text = text[: call.end] + result_of(call, limits)"

ENTRY = Exercise(
    id="chat.write_with_calculator",
    reference=tools.write_with_calculator,
    probes=lambda: [
        _probe("What is 12 * 7?", "It is calc(12 * 7)", " indeed."),
        _probe("How much is 3 + 4?", "calc(3 + 4) = 9, as all know", ", then calc(7 - 1)", "!"),
        _probe("Is calc(5) a call?", "No.", "Yes."),
        _probe("Twice calc(1 + 1)?", "calc(2 * 2) = 4 ", "is the answer"),
        _probe("And 1 // 0?", "calc(1 // 0)", " so it has none"),
        _probe("Go on.", "calc(1)", " calc(2)", " calc(3) = 8, calc(4)", " end", most_calls=2),
        _probe("Stop.", "calc(6)", " no", most_calls=0),
    ],
    checked="seven conversations: with one call and two, with made-up results, with a call in the prompt, one that "
    "fails, and with no calls left.",
    outputs=HEARD,
    gradients=False,
    trial=_heard,
    variations=_variation,
    mistakes=(
        Mistake(
            "made_up_believed",
            {LOOK: "call = find_call(text, before)"},
            "a result that the model made up is believed",
            "find_call leaves out a call that has a result behind it. Who wrote that result?",
        ),
        Mistake(
            "rest_kept",
            {RESULT: "text = text[: call.end] + result_of(call, limits) + text[call.end :]"},
            "what the model wrote behind its call is kept, behind the result",
            "it was written without knowing the result.",
        ),
        Mistake(
            "ended_by_result",
            {RESULT: f"{RESULT}\n        return text[len(prompt) :]"},
            "the first result ends the answer",
            "who says what the result means?",
        ),
        Mistake(
            "prompt_computed",
            {LOOK: "call = find_call(text)"},
            "a call in the prompt is computed, too",
            "the user may write calc(…) as well. From where on does the model speak?",
        ),
        Mistake(
            "found_again",
            {LOOK: "call = find_call(text, len(prompt), answered=True)"},
            "the search begins at the start of the answer each time, and finds the call that has its result again",
            "what has been computed is done. Where does the part begin that the model wrote last?",
        ),
        Mistake(
            "all_searched",
            {LOOK: "call = find_call(text, answered=True)"},
            "the search begins at the start of the text each time: it finds the prompt's call, or one that has its "
            "result, again",
            "from where on is the text new?",
        ),
        Mistake(
            "prompt_unseen",
            {
                "text += write(text)": "text += write(text[len(prompt) :])",
                "(text + write(text))": "(text + write(text[len(prompt) :]))",
            },
            "the model is given its own words without the prompt",
            "write continues the text that it is given. What has to stand before the answer?",
        ),
        Mistake(
            "prompt_returned",
            {
                "return text[len(prompt) :]": "return text",
                "return (text + write(text))[len(prompt) :]": "return text + write(text)",
            },
            "the prompt comes back, too",
            "asked for is what stands behind the prompt.",
        ),
        Mistake(
            "asked_afresh",
            {"text += write(text)": "text += write(prompt)", "(text + write(text))": "(text + write(prompt))"},
            "the model is given the prompt alone each time",
            "how is it to go on from a result that it does not see?",
        ),
        Mistake(
            "call_removed",
            {RESULT: "text = text[: call.start] + result_of(call, limits).removeprefix(' = ')"},
            "the result stands in the place of the call",
            "asked for is 'calc(12 * 7) = 84': what was computed can then be checked.",
        ),
        Mistake(
            "no_last_word",
            {"return (text + write(text))[len(prompt) :]": "return text[len(prompt) :]"},
            "after most_calls results the model is not asked again",
            "the last result needs somebody to go on from it, too; what is written then stands as it is.",
        ),
        Mistake(
            "limit_ignored",
            {"range(most_calls)": "range(most_calls + 20)"},
            "there is no end to the calls",
            "a model can call for ever. How many results does most_calls allow?",
        ),
    ),
    hints=(
        "What do you ask of the model first, and with what text the second time?",
        "find_call(text, start, answered=True) also finds a call that has a result behind it. Where does the "
        "model's own text start?",
        "Up to most_calls times: let it write; find the first call in what it wrote; none: done; else cut the text "
        "at call.end and put result_of(call, limits) there. After the last result it writes once more.",
    ),
    why="The model decides that something is to be computed and what; the program decides what comes out. A result is "
    "worth something only if the program wrote it, so the model's own is dropped with all that was built on it. The "
    "evaluator knows a small grammar and its limits (chat/evaluator.py): no text of a model is ever run as code.",
)
