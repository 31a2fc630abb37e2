"""Whole numbers in English words: 342 is three hundred and forty-two."""

BELOW_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def in_words(number: int) -> str:
    """Return a number from 0 to 999,999 in words, with hyphens and, as in Britain, 'and'; ValueError for others."""
    if not 0 <= number < 1_000_000:
        raise ValueError(f"number: expected 0 to 999,999, got {number}")
    if number < 20:
        return BELOW_TWENTY[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens] + (f"-{BELOW_TWENTY[ones]}" if ones else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    many, rest = divmod(number, size)
    joint = " and " if rest < 100 else " "
    return f"{in_words(many)} {name}" + (f"{joint}{in_words(rest)}" if rest else "")


def plain_words(text: str) -> list[str]:
    """Return the words of a number as one writes it: lower-case, without hyphens, commas and 'and'."""
    return [word for word in text.lower().replace("-", " ").replace(",", " ").split() if word != "and"]
