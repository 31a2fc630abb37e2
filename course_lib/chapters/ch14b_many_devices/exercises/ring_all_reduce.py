"""The learner writes one step of the ring: which chunk goes to the neighbour, and what is done with it."""

from course_lib.chapters.ch14b_many_devices import ring
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_SENT = "chunk = (n - t) % N"

ENTRY = Exercise(
    id="together.ring_all_reduce",
    reference=ring.ring_step,
    probes=lambda: [
        Probe((random(3, 3, 2, seed=1), 0), says="three devices, t = 0"),
        Probe((random(3, 3, 2, seed=2), 1), says="three devices, t = 1"),
        Probe((random(5, 5, 1, seed=3), 3), says="five devices, t = 3"),
        Probe((random(4, 4, 3, seed=4), 2), says="four devices, t = 2"),
    ],
    checked="three, four and five devices, first and later steps, and the gradient.",
    mistakes=(
        Mistake(
            "always_the_same",
            {_SENT: "chunk = n"},
            "device n sends chunk n in every step",
            "after step 0, which chunk of device n holds two summands?",
        ),
        Mistake(
            "other_way",
            {_SENT: "chunk = (n + t) % N"},
            "device n sends chunk n + t",
            "what has just arrived at device 1 in step 0: chunk 0 or chunk 2?",
        ),
        Mistake(
            "second_round",
            {_SENT: "chunk = (n + 1 - t) % N"},
            "device n sends chunk n + 1 − t, the rule of the second round",
            "which chunk does device 0 send in step 0?",
        ),
        Mistake(
            "one_for_all",
            {_SENT: "chunk = t % N"},
            "all devices send chunk t",
            "in step 0 device n sends chunk n: are these the same?",
        ),
        Mistake(
            "to_the_left",
            {"right = (n + 1) % N": "right = (n - 1) % N"},
            "the chunk goes to device n − 1",
            "the neighbour to the right is n + 1.",
        ),
        Mistake(
            "replaced",
            {"held[right, chunk] + held[n, chunk]": "held[n, chunk]"},
            "the receiver puts the chunk in the place of its own",
            "this round adds up; what becomes of the receiver's own summand?",
        ),
        Mistake(
            "all_chunks",
            {"after[right, chunk] = held[right, chunk] + held[n, chunk]": "after[right] = held[right] + held[n]"},
            "every device sends all of its chunks",
            "one chunk a step: that is what makes the ring cheap.",
        ),
    ),
    hints=(
        "Write down for three devices which chunk each of them has just added to after step 0.",
        "That chunk goes on in the next step. Device n added to chunk n − 1 in step 0.",
        "Device n sends chunk (n − t) % N; read all from held, write to a copy.",
    ),
    why="What a device has just added to is the chunk with the most summands, so it goes on. Chunk c starts at device "
    "c and visits the others in turn; after N − 1 steps device n holds chunk n + 1 complete.",
)
