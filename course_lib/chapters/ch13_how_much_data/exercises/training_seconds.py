"""The learner writes training_seconds: what a run will take, before it runs."""

from course_lib.attention.transformer import TransformerConfig
from course_lib.chapters.ch13_how_much_data import times
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_RUNS = [
    (TransformerConfig(13, context_length=11, n_layers=3, n_heads=2, d_model=20), 7, 5, 9, 3e6, 0.25),
    (TransformerConfig(65, context_length=64, n_layers=2, n_heads=2, d_model=64), 400, 16, 64, 2e10, 0.003),
    (TransformerConfig(101, context_length=9, n_layers=1, n_heads=1, d_model=6), 11, 3, 4, 1e5, 0.5),
]


def _in_words(run: tuple) -> str:
    config, steps, batch, time, rate, overhead = run
    sizes = f"{config.n_layers} blocks of width {config.d_model}, {config.vocab_size} symbols"
    return f"{sizes}; {steps} steps of {batch} sequences of {time}; rate {rate:g}, overhead {overhead}"


ENTRY = Exercise(
    id="together.training_seconds",
    reference=times.training_seconds,
    probes=lambda: [Probe(run, says=_in_words(run)) for run in _RUNS],
    checked="three models, batches and machines.",
    gradients=False,
    mistakes=(
        Mistake(
            "forward_only",
            {"3 * batch": "batch"},
            "the forward pass is all",
            "what does training do besides, and how many products has it for each one of the forward pass?",
        ),
        Mistake(
            "backward_only",
            {"3 * batch": "2 * batch"},
            "the backward pass is all, or costs as much as the forward pass",
            "backward takes two products for each of the forward pass, and comes on top of it.",
        ),
        Mistake(
            "six_times_forward",
            {"3 * batch": "6 * batch"},
            "the forward pass counts six times",
            "six is for each number of the matrices and token, forward and backward together; forward_flops has "
            "counted two of the six.",
        ),
        Mistake(
            "tokens_twice",
            {"3 * batch": "3 * batch * time"},
            "the operations are multiplied by the tokens once more",
            "forward_flops(config, time) is of a whole sequence of time tokens.",
        ),
        Mistake(
            "one_sequence",
            {"3 * batch": "3"},
            "a step has one sequence",
            "forward_flops counts one sequence: how many are in a batch?",
        ),
        Mistake(
            "overhead_once",
            {"steps * (overhead + operations / rate)": "overhead + steps * operations / rate"},
            "the overhead comes once",
            "of what is the overhead: of the run or of each step?",
        ),
        Mistake(
            "no_overhead",
            {"overhead + operations / rate": "operations / rate"},
            "there is no overhead",
            "what does a step cost whose matrices are tiny?",
        ),
        Mistake(
            "times_the_rate",
            {"operations / rate": "operations * rate"},
            "operations are multiplied by the rate",
            "a machine with twice the rate takes how long?",
        ),
        Mistake(
            "one_step",
            {"steps * (overhead + operations / rate)": "overhead + operations / rate"},
            "the run is one step",
            "the seconds of the whole run are asked for.",
        ),
        Mistake(
            "overhead_a_sequence",
            {"overhead + operations / rate": "batch * overhead + operations / rate"},
            "each sequence of the batch has the overhead",
            "the sequences of a batch go through the same products together.",
        ),
        Mistake(
            "one_token",
            {"forward_flops(config, time)": "forward_flops(config, 1)"},
            "a sequence has one token",
            "forward_flops(config, time) is of a whole sequence of time tokens.",
        ),
    ),
    hints=(
        "First one step: how many operations, and how many seconds do they take at this rate?",
        "forward_flops(config, time) is one sequence forward; backward takes twice that.",
        "steps * (overhead + 3 * batch * forward_flops(config, time) / rate)",
    ),
    why="Forward and backward are three times the forward pass; what a step costs besides does not depend on how large "
    "its matrices are, so it counts most where they are small.",
)
