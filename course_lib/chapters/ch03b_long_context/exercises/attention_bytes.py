"""The learner writes attention_bytes: what attention keeps for its backward pass, tile by tile or not."""

from course_lib.attention import online
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_sizes = [(1, 1000, 64, 4), (12, 4096, 128, 2), (3, 77, 10, 8)]


ENTRY = Exercise(
    id="positions.attention_bytes",
    reference=online.attention_bytes,
    probes=lambda: [Probe(s, says="n_heads = {}, T = {}, d_head = {}, itemsize = {}".format(*s)) for s in _sizes],
    checked="three combinations of heads, length, width and bytes a number.",
    outputs=("explicit", "online"),
    gradients=False,
    mistakes=(
        Mistake(
            "scores_too",
            {" + T * T)": " + 2 * T * T)"},
            "the scores are kept as well as the weights",
            "the softmax's backward pass, p (u − Σ p u), needs p alone.",
        ),
        Mistake(
            "weights_only",
            {"3 * T * d_head + ": ""},
            "explicit attention keeps the weights and forgets q, k and v",
            "∂L/∂Q needs K, ∂L/∂K needs Q, ∂L/∂p needs V.",
        ),
        Mistake(
            "no_output",
            {"4 * T * d_head": "3 * T * d_head"},
            "online attention does not keep its output",
            "Σ_j p_j ∂L/∂p_j of a row is G·o: the output stands in for a whole row of weights.",
        ),
        Mistake(
            "no_statistic",
            {"4 * T * d_head + T)": "4 * T * d_head)"},
            "online attention keeps no number for each query",
            "from scores to weights again: what must be subtracted before exp?",
        ),
        Mistake(
            "one_head",
            {"n_heads * (3": "(3", "n_heads * (4": "(4"},
            "there is one head",
            "each head has its own weights, q, k and v.",
        ),
        Mistake(
            "numbers",
            {"T * T) * itemsize": "T * T)", "d_head + T) * itemsize": "d_head + T)"},
            "numbers are counted instead of bytes",
            "how many bytes has one number?",
        ),
    ),
    hints=(
        "q is (T, d_head) in each head; the weights are (T, T).",
        "Explicit: 3 T d_head + T² numbers a head. Online: 4 T d_head + T.",
    ),
    why="The T² of the weights is the only term that is not proportional to the length. Online attention gives it up "
    "and computes the weights a second time, from q, k and one number a query.",
)
