"""Chapter 17's patients: three tunings with a fault, a sound one, and three faults in its use; one seed, one core.

Each tuning starts from the shipped pretrained weights and takes about half a minute. The number of steps was chosen so
that it does, the rest is as in ``stages.py``.
"""

import torch

from course_lib.chapters.ch17_chat import patients
from course_lib.chat.questions import questions
from course_lib.classroom.records import write_record
from course_lib.pretrained.chat import load_chat_model, load_chat_template

STEPS, ASKED = 120, 200
WHAT = "tuned on one core for 120 steps of 32 exchanges, with and without a fault; answers to 200 test questions"


def main() -> None:
    """Tune and ask, and write the record."""
    torch.set_num_threads(1)
    template, pretrained = load_chat_template(), load_chat_model("pretrained")
    asked = questions("test", ASKED, seed=8)
    tuned = {fault: patients.tuned(pretrained, template, fault, STEPS) for fault in ("", *patients.IN_TRAINING)}
    found = {}
    for fault in ("", *patients.FAULTS):
        model, losses = tuned[fault if fault in patients.IN_TRAINING else ""]
        answers = patients.drawn(model, template, asked, fault)
        found[fault or "sound"] = {
            **patients.measured(template, asked, answers),
            "said": [template.answer(tokens) for tokens in answers[: patients.KEPT]],
            "training": losses.training,
            "held out": losses.held_out,
        }
        print(fault or "sound", {key: found[fault or "sound"][key] for key in ("right", "ended", "begun")}, flush=True)
    steps = tuned[""][1].steps
    write_record("chat_patients", WHAT, [8], {"steps": steps, "asked": ASKED, "patients": found})


if __name__ == "__main__":
    main()
