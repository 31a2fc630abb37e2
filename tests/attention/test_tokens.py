"""Byte-pair encoding: the fast class against the functions that say what is meant, and every text comes back."""

import json
import random
import sys
from collections import Counter

import pytest
import torch

from course_lib.attention.tokens import WORDS, BytePairs, apply_merges, bits_per_character, merge_pair, pair_counts
from course_lib.datasets.text import load_shakespeare

PATTERNS = [WORDS, None]
ODD = "naïve 🙂\u200d 人人生而自由 \u00b2 ½ \t\r\n\n __x_1 \x00 e\u0301  "


def learned(text, n_merges, pattern):
    """Merges by counting everything anew each time, ties by the smallest numbers."""
    cut = BytePairs(pattern=pattern).cut(text)
    pieces = Counter(tuple(piece.encode()) for piece in cut)
    merges = []
    while len(merges) < n_merges:
        counts = {pair: times for pair, times in pair_counts(pieces).items() if times > 1}
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        joined = Counter()
        for piece, times in pieces.items():
            joined[tuple(merge_pair(piece, merges[-1], 255 + len(merges)))] += times
        pieces = joined
    return tuple(merges), pieces


def test_a_dozen_letters_by_hand():
    tokenizer = BytePairs.train("banana bandana", 300, pattern=None)
    assert tokenizer.bytes_of[256:] == (b"an", b"ban", b"ana")
    assert tokenizer.encode("banana bandana").tolist() == [257, 258, 32, 257, 100, 258]
    assert tokenizer.encode("anana").tolist() == [256, 258]  # from the left the longest would be ana, n, a


@pytest.mark.parametrize("pattern", PATTERNS)
def test_training_and_encoding_are_what_the_plain_functions_say(pattern):
    rng = random.Random(0)
    for _ in range(60):
        text = "".join(rng.choice("aaab c\n") for _ in range(rng.randrange(70)))
        tokenizer = BytePairs.train(text, 256 + 25, pattern=pattern)
        merges, pieces = learned(text, 25, pattern)
        assert tokenizer.merges == merges
        code = Counter(tuple(tokenizer.encode(piece).tolist()) for piece in tokenizer.cut(text))
        assert code == pieces  # the text that was learned from is cut as training left it
        other = "".join(rng.choice("aab c\n") for _ in range(40))
        plain = [t for piece in tokenizer.cut(other) for t in apply_merges(piece.encode(), tokenizer.token_of)]
        assert tokenizer.encode(other).tolist() == plain


def test_a_play_is_learned_as_by_counting_anew():
    text = load_shakespeare()
    start = text.decode(text.train[:20_000])
    assert BytePairs.train(start, 256 + 80).merges == learned(start, 80, WORDS)[0]


@pytest.fixture(scope="module")
def english():
    text = load_shakespeare()
    return BytePairs.train(text.decode(text.train[:100_000]), 600, special=("<end>", "<user>"))


def test_any_text_comes_back(english):
    for text in ("", " ", ODD, ODD * 3, "The <end> of it"):
        code = english.encode(text)
        assert code.dtype == torch.long
        assert code.ndim == 1
        assert english.decode(code) == text
        assert english.decode(code.tolist(), errors="strict") == text


def test_every_character_is_in_a_piece():
    text = "".join(chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i < 0xE000)
    assert "".join(BytePairs().cut(text)) == text


def test_pieces_are_runs_with_the_space_before_them():
    assert BytePairs().cut("To be,  or 42\n\nnot_x!") == [
        "To",
        " be",
        ",",
        " ",
        " or",
        " 42",
        "\n",
        "\n",
        "not",
        "_",
        "x",
        "!",
    ]


def test_no_token_reaches_across_pieces(english):
    for string in english.bytes_of[256:-2]:
        piece = string.decode()
        assert BytePairs().cut(piece) == [piece]


def test_special_tokens_are_at_the_end_and_come_from_no_text(english):
    assert english.vocab_size == 600
    assert english.token == {"<end>": 598, "<user>": 599}
    assert english.encode("<end><user>").max() < 598
    assert english.decode([598, 72, 105, 599]) == "<end>Hi<user>"


def test_a_smaller_vocabulary_is_the_beginning_of_a_larger_one(english):
    text = load_shakespeare()
    again = BytePairs.train(text.decode(text.train[:100_000]), 400, special=("<end>", "<user>"))
    assert english.first(400) == again
    assert english.first(258).merges == ()
    for size in (257, 601):
        with pytest.raises(ValueError, match="vocab_size: expected 258 to 600"):
            english.first(size)


def test_bytes_that_are_no_character(english):
    half = english.encode("人")[:2]
    assert english.decode(half) == "\ufffd"
    with pytest.raises(ValueError, match="bytes e4 ba at 0"):
        english.decode(half, errors="strict")


def test_training_ends_where_no_pair_comes_twice():
    assert BytePairs.train("abcd", 1000).vocab_size == 256
    assert BytePairs.train("", 1000).vocab_size == 256
    assert BytePairs.train("aaa", 1000, pattern=None).vocab_size == 257


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_long_row_of_one_letter_is_encoded_in_time(pattern):
    tokenizer = BytePairs.train("a" * 4096, 280, pattern=pattern)
    assert len(tokenizer.encode("a" * 100_000)) < 100


def test_saved_and_loaded(english, tmp_path):
    english.save(tmp_path / "tokens.json")
    assert BytePairs.load(tmp_path / "tokens.json") == english
    assert [path.name for path in tmp_path.iterdir()] == ["tokens.json"]
    whole = BytePairs(((97, 97),), pattern=None)
    whole.save(tmp_path / "whole.json")
    assert BytePairs.load(tmp_path / "whole.json") == whole


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"merges": 1, "special": [], "pattern": null}',
        '{"merges": [[1]], "special": [], "pattern": null}',
    ],
)
def test_a_file_that_holds_no_tokenizer(content, tmp_path):
    (tmp_path / "odd.json").write_text(content)
    with pytest.raises(ValueError, match=r"path: expected a tokenizer of byte pairs in odd\.json"):
        BytePairs.load(tmp_path / "odd.json")
    with pytest.raises(FileNotFoundError):
        BytePairs.load(tmp_path / "none.json")


def test_a_damaged_file_is_named_by_its_merge(tmp_path):
    (tmp_path / "odd.json").write_text(json.dumps({"merges": [[97, 98], [300, 97]], "special": [], "pattern": None}))
    with pytest.raises(ValueError, match="two tokens below 257 in merge 1"):
        BytePairs.load(tmp_path / "odd.json")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: BytePairs(((97, 256),)), r"below 256 in merge 0, got \(97, 256\)"),
        (lambda: BytePairs(((97, 98), (97, 98))), r"each pair once, got \(97, 98\) twice"),
        (lambda: BytePairs(special=("<a>", "<a>")), "special: expected different names"),
        (lambda: BytePairs(special=("",)), "special: expected different names"),
        (lambda: BytePairs.train("text", 256, special=("<end>",)), "vocab_size: expected at least 257, got 256"),
        (lambda: BytePairs.train("a\ud800", 300), "half of a surrogate pair, 0xd800"),
        (lambda: BytePairs().encode("\udfff"), "half of a surrogate pair, 0xdfff"),
        (lambda: BytePairs(pattern=r"\w+").encode("a b"), "pattern: expected one that covers every text"),
        (lambda: BytePairs().decode([256]), "tokens: expected 0 to 255, got 256"),
        (lambda: BytePairs().decode(torch.tensor([3, -1])), "tokens: expected 0 to 255, got -1"),
        (lambda: bits_per_character(1.0, 3, 0), "n_characters: expected at least 1, got 0"),
    ],
)
def test_errors_name_what_is_wrong(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_overlaps_are_counted_and_merged_once():
    assert pair_counts({(1, 1, 1): 2, (1,): 9}) == {(1, 1): 4}
    assert merge_pair([1, 1, 1], (1, 1), 5) == [5, 1]


def test_bits_of_a_text():
    assert bits_per_character(2 * 0.6931471805599453, 100, 400) == pytest.approx(0.5, rel=1e-12)
