"""The learner writes one step of ANS: a symbol onto an integer, exactly and without floats."""

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property
from course_lib.information import ans

_STEPS = [
    (10, 2, 3, 3),
    (1000, 0, 5, 4),
    (7, 9, 20, 6),
    (4321, 0, 32, 5),
    (123_456_789, 40, 37, 7),
    (3**60, 100, 77, 8),
    (2**90 - 12_345, 3, 16, 5),
    (25, 6, 1, 3),
]


ENTRY = Exercise(
    id="vae.ans_step",
    reference=ans.ans_push,
    probes=lambda: [Probe(s, says="state = {}, start = {}, frequency = {}, precision = {}".format(*s)) for s in _STEPS],
    checked="eight steps: a state below the frequency, a frequency of one, a certain symbol, states of over 90 bits.",
    gradients=False,
    mistakes=(
        Mistake(
            "no_remainder",
            {" + start + state % frequency": " + start"},
            "what is left over by the division is dropped",
            "then 9, 10 and 11 become the same number for frequency 3: which of them was it?",
        ),
        Mistake(
            "no_start",
            {" + start + state %": " + state %"},
            "the slot is counted from 0 and not from start",
            "all symbols would share the lowest slots; the decoder tells them apart by their slot.",
        ),
        Mistake(
            "remainder_of_slots",
            {"state % frequency": "state % (1 << precision)"},
            "the remainder is taken for 2**precision",
            "what is left over by the division by frequency? It must stay within the symbol's slots.",
        ),
        Mistake(
            "multiplied_first",
            {"(state // frequency << precision)": "(state << precision) // frequency"},
            "the state is multiplied by 2**precision before it is divided",
            "that was right in an interval; here only whole turns count: divide first, the rest is added in the slot.",
        ),
        Mistake(
            "not_divided",
            lambda state, start, frequency, precision: (state << precision) + start,
            "the state is multiplied and start added, as for a symbol with one slot",
            "a symbol with several slots chooses one with a part of the state, and that part leaves it.",
        ),
        Mistake(
            "pop",
            lambda state, start, frequency, precision: (
                (state >> precision) * frequency + state % (1 << precision) - start
            ),
            "a symbol is taken off: the step is the decoder's",
            "a push makes the state larger, by the factor 2**precision / frequency.",
        ),
        Mistake(
            "precision_is_total",
            {"(state // frequency << precision)": "state // frequency * precision"},
            "precision is taken for the number of slots",
            "there are 2**precision slots: precision counts their bits.",
        ),
        Mistake(
            "caret",
            {"(state // frequency << precision)": "state // frequency * (2 ^ precision)"},
            "2 ^ precision stands where 2**precision is meant",
            "^ is the exclusive or of bits in Python; a power is **, or 1 << precision.",
        ),
        Mistake(
            "shift_last",
            lambda state, start, frequency, precision: state // frequency << (precision + start + state % frequency),
            "everything behind << is the shift",
            "+ binds more tightly than <<: put brackets round the shift.",
        ),
        Mistake(
            "not_whole",
            {"(state // frequency << precision)": "state / frequency * 2**precision"},
            "/ divides where whole turns are asked for",
            "// leaves the remainder, which is added later; with / it is counted twice.",
        ),
        Mistake(
            "floats",
            {"state // frequency": "int(state / frequency)"},
            "the division goes through floats",
            "a float has 53 bits, and the state holds a whole message: // divides integers exactly.",
        ),
    ),
    properties=(
        Property(
            "slot",
            lambda pushed, state, start, frequency, precision: start <= pushed % 2**precision < start + frequency,
            "the new state modulo 2**precision lies in the symbol's slots, start … start + frequency - 1",
        ),
    ),
    hints=(
        "Push the fair bits 1, 0, 1 (start = bit, frequency 1, precision 1) on state 1: do you get 13, binary 1101?",
        "turns, rest = divmod(state, frequency): rest picks one of the symbol's frequency slots.",
        "return (state // frequency << precision) + start + state % frequency",
    ),
    why="Number the integers whose slot belongs to the symbol: 0, 1, 2, … Every turn of 2**precision has frequency of "
    "them, so number `state` lies in turn state // frequency, at place state % frequency. The decoder reads the slot, "
    "knows the symbol, and counts back. The state grows by 2**precision / frequency: the surprise, in bits.",
)
