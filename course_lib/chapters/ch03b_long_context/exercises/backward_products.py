"""The learner says how many large products a backward pass in tiles takes."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="positions.backward_products",
    right=5.0,
    wrong={
        2.0: "those are the forward pass's: scores and mix. The derivatives of both factors of both are wanted.",
        3.0: "dq, dk and dv are three; what are they made of?",
        4.0: "that is what the explicit form needs, which has kept its weights. Here they were thrown away.",
        6.0: "the mix p v need not be made again: G·O stands in for it. Only the scores come back.",
        7.0: "the mix of the forward pass need not be made again, and the scores only once.",
    },
    hints=(
        "Count the products that have a T × T table as a factor or as their result.",
        "Four as in the explicit form: u = G vᵀ, then dv, dq and dk. And what do the weights come from?",
    ),
    why="u = G vᵀ, dv = pᵀ G, dq = ds k and dk = dsᵀ q are the four of the explicit form. The weights were not kept, "
    "so the scores q kᵀ are made a second time: five, and the row products G·O cost only T d.",
)
