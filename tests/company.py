"""What tests of the chat's questions share: a question without its company."""

from course_lib.chat.wordings import BEFORE, BEHIND


def alone(text):
    """A training question without what stands before and behind it."""
    for before in BEFORE:
        text = text.removeprefix(f"{before} ")
    for behind in BEHIND:
        text = text.removesuffix(f" {behind}")
    return text
