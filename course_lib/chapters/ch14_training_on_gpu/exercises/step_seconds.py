"""The learner writes step_seconds: the time of a list of operations, told from what each computes and moves."""

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.training import roofline

_mixed = [(900.0, 20.0), (30.0, 700.0), (400.0, 90.0)]
TERM = "launch + max(flops / peak, moved / bandwidth)"

ENTRY = Exercise(
    id="together.step_seconds",
    reference=roofline.step_seconds,
    probes=lambda: [
        Probe((_mixed, 50.0, 8.0, 15.0), says="three operations, peak 50, bandwidth 8, launch 15"),
        Probe((_mixed[:2], 2.0, 3.0, 0.2), says="two operations, peak 2, bandwidth 3, launch 0.2"),
        Probe(([(5.0, 600.0)], 20.0, 4.0, 0.0), says="one operation, peak 20, bandwidth 4, launch 0"),
    ],
    gradients=False,
    checked="lists of three, two and one, where some are bound by products and some by bytes.",
    mistakes=(
        Mistake(
            "both_added",
            {"max(flops / peak, moved / bandwidth)": "flops / peak + moved / bandwidth"},
            "an operation first moves everything and then computes",
            "under the roof of equation (14.1) both happen at a time: which of the two is waited for?",
        ),
        Mistake(
            "the_shorter",
            {"max(flops": "min(flops"},
            "the shorter of the two times counts",
            "an operation ends when the slower of the two is done.",
        ),
        Mistake(
            "whole_at_once",
            lambda operations, peak, bandwidth, launch=0.0: (
                launch * len(operations)
                + max(sum(f for f, _ in operations) / peak, sum(b for _, b in operations) / bandwidth)
            ),
            "the whole step lies under one roof",
            "operations run one after the other: while one waits for bytes, none of the later ones computes.",
        ),
        Mistake(
            "products_only",
            {"max(flops / peak, moved / bandwidth)": "flops / peak"},
            "every operation runs at the peak",
            "that is the rule of thumb. What of an operation that moves much and computes little?",
        ),
        Mistake(
            "bytes_only",
            {"max(flops / peak, moved / bandwidth)": "moved / bandwidth"},
            "computing takes no time",
            "a large product moves little and computes much.",
        ),
        Mistake(
            "one_launch",
            {TERM: "max(flops / peak, moved / bandwidth)", "return sum(": "return launch + sum("},
            "the launch is paid once",
            "each operation is called by itself.",
        ),
        Mistake(
            "no_launch",
            {TERM: "max(flops / peak, moved / bandwidth)"},
            "a call costs nothing",
            "launch is what each operation costs before it does anything.",
        ),
        Mistake(
            "launch_within",
            {TERM: "max(launch, flops / peak, moved / bandwidth)"},
            "a launch is hidden behind the work of its own operation",
            "the operation begins when the launch is over.",
        ),
    ),
    hints=(
        "One operation first: it computes and moves at a time. When is it done?",
        "launch, and the longer of flops / peak and bytes / bandwidth. Then the sum over all operations.",
        "sum(launch + max(flops / peak, moved / bandwidth) for flops, moved in operations)",
    ),
    why="Each operation ends when the slower of its two works is done, and the next one begins after it: a sum of "
    "maxima, not the maximum of sums.",
)
