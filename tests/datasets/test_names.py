"""Names as words: which are known, and what becomes of the others."""

import pytest

from course_lib.datasets.names import encode_names, vocabulary


def test_words_are_numbered_in_order_and_unknown_ones_are_one():
    known = vocabulary(["red heart", "Red: apple"])
    assert known == ("", "?", "apple", "heart", "red")
    assert encode_names(["red heart", "blue-heart", ""], known, 3).tolist() == [[4, 3, 0], [1, 3, 0], [0, 0, 0]]


def test_a_name_that_is_too_long_is_named():
    with pytest.raises(ValueError, match="names: expected at most 2 words, got 3 in 'a b c'"):
        encode_names(["a b c"], vocabulary(["a b c"]), 2)
