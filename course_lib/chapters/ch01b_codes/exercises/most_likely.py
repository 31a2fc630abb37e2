"""The learner says how many bits the single most likely message of a lopsided source costs."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="codes.most_likely",
    right=152.0,
    wrong={
        469.0: "that is nH, what a message costs on average; this one has no rare symbol in it.",
        1000.0: "that is one bit a symbol; a symbol of probability 0.9 is worth less.",
        105.36: "those are nats: −1000 · ln 0.9; divide by ln 2.",
        0.0: "likely is not certain: its probability is 0.9 to the power of 1,000.",
    },
    hints=(
        "What is the surprise of one symbol of probability 0.9? The message has a thousand of them.",
        "−log₂ 0.9 is 0.152.",
    ),
    why="1,000 symbols of probability 0.9 cost −1000 · log₂ 0.9 = 152 bits. The entropy counts the rare symbols, too: "
    "they come 100 times in 1,000 and cost 3.3 bits each.",
    rtol=0.004,  # 152.003, 152 and 0.152 · 1000 are all the same answer
    unit="bits",
)
