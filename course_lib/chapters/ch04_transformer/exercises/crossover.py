"""The learner says at which length attention's pairs cost as much as a block's matrices."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="transformer.crossover",
    right=768.0,
    wrong={
        6.0: "that is T / C: the lengths meet at T = 6 C. How many positions are that for C = 128?",
        128.0: "attention's 4 T C a position against 24 C² of the block's matrices: solve for T.",
        1535.0: "there the pairs that the causal mask leaves catch up; *all* pairs are asked for.",
        1536.0: "all pairs are asked for, and two products for each, q kᵀ and weights times v: 4 T C a position. "
        "(It is where they would meet if what the causal mask hides were not computed.)",
        384.0: "a block's matrices hold 12 C² numbers, and each takes a multiplication and an addition: 24 C².",
        256.0: "there the pairs cost as much as attention's own four matrices; the feed-forward layer has two more.",
        512.0: "there the pairs cost as much as the feed-forward layer. Attention's own four matrices count too.",
        64.0: "that is where attention's pairs are a twelfth of the matrices.",
    },
    hints=(
        "For one position and one block: the matrices take 2 · 12 C², the pairs 2 · 2 T C.",
        "2 · 12 C² = 4 T C gives T = 6 C.",
    ),
    why="24 C² = 4 T C where T = 6 C = 768. Below that length the ‘quadratic’ cost of attention is the smaller part.",
    unit="positions",
)
