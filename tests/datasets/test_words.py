"""The shipped words: what they hold, that kin is in one part, and that no meaning is told twice."""

import hashlib
import itertools
import re
from collections import Counter

import pytest

from course_lib import paths
from course_lib.datasets import shipped, words
from course_lib.datasets.words import PARTS, dictionary_text, load_words, part_of, root, words_of

WORDS = load_words()
VOWELS = {"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"}
CONSONANTS = set(re.findall(r"\w+", "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH"))
ROW = re.compile(r"^\| words, (train|validation|test) \| ([\d,]+) \| ([\d,]+) \| `(\w{64})` \|$", re.M)


def number(text):
    return int(text.replace(",", ""))


@pytest.mark.parametrize("row", ROW.findall((paths.DATA / "README.md").read_text(encoding="utf-8")), ids=lambda r: r[0])
def test_a_part_is_what_the_readme_says(row):
    part, count, explained, sha256 = row
    assert len(words_of(part, WORDS.commonness)) == number(count)
    assert len(words_of(part, WORDS.glosses)) == number(explained) == dictionary_text(part).count("\n")
    assert hashlib.sha256(dictionary_text(part).encode()).hexdigest() == sha256


def test_the_parts_are_all_words_once_and_about_eight_one_and_one_tenth():
    parts = [words_of(part, WORDS.commonness) for part in PARTS]
    assert sorted(itertools.chain(*parts)) == list(WORDS.commonness) == list(WORDS.pronunciations)
    for part, share in zip(parts, (0.8, 0.1, 0.1), strict=True):
        assert abs(len(part) / 31_421 - share) < 0.02


def test_words_are_plain_and_as_common_as_everybody_would_say():
    assert all(re.fullmatch("[a-z]{2,}", word) for word in WORDS.commonness)
    assert Counter(WORDS.commonness.values()) == {10: 3925, 20: 6596, 35: 20900}
    for word, commonness in (("water", 10), ("house", 10), ("toggle", 20), ("phlegmatic", 35)):
        assert WORDS.commonness[word] == commonness
    assert not {"colour", "color", "centre", "center"} & set(WORDS.commonness)


def test_every_pronunciation_is_of_known_phones_and_every_vowel_has_its_stress():
    phones = {phone for said in WORDS.pronunciations.values() for one in said for phone in one}
    assert {phone.rstrip("012") for phone in phones} == VOWELS | CONSONANTS
    assert {phone[-1] for phone in phones if phone[-1].isdigit()} == {"0", "1", "2"}
    assert all((phone[-1] in "012") == (phone.rstrip("012") in VOWELS) for phone in phones)
    assert WORDS.pronunciations["word"] == (("W", "ER1", "D"),)
    assert {one[1] for one in WORDS.pronunciations["read"]} == {"EH1", "IY1"}


def test_each_gloss_is_short_and_belongs_to_one_word_that_can_be_spoken():
    told = [gloss.definition for gloss in WORDS.glosses.values()]
    assert {gloss.kind for gloss in WORDS.glosses.values()} == {"noun", "verb", "adj"}
    assert len(set(told)) == len(told) == 13300
    assert all(8 <= len(definition) <= 70 for definition in told)
    assert not [definition for definition in told if re.search('[()";\t]', definition)]
    assert set(WORDS.glosses) <= set(WORDS.pronunciations)
    assert WORDS.glosses["distillery"].definition == "a plant and works where alcoholic drinks are made by distillation"
    examples = [(word, gloss.example) for word, gloss in WORDS.glosses.items() if gloss.example]
    assert all(word[: max(3, len(word) - 1)] in example for word, example in examples)


@pytest.mark.parametrize(
    "kin",
    [
        "jump jumps jumping jumped jumper",
        "stop stopped stopping stopper",
        "make makes making maker",
        "happy happier happily happiness",
        "use using user useful",
        "city cities",
        "act action actor",
    ],
)
def test_kin_is_in_one_part(kin):
    assert len({root(word) for word in kin.split()}) == 1
    assert len({part_of(word) for word in kin.split()}) == 1


def test_a_root_keeps_two_letters():
    assert (root("a"), root("is"), root("see"), root("string"), root("needs")) == ("a", "is", "se", "str", "ne")
    assert all(len(root(word)) >= 2 for word in WORDS.commonness)


def test_a_dictionary_is_lines_of_word_kind_meaning_and_example():
    lines = dictionary_text("train").splitlines()
    assert lines[0] == "abandon, verb: forsake, leave behind. We abandoned the old car in the empty parking lot"
    assert lines[1] == "abandonment, noun: the act of giving something up."
    assert {part_of(line.split(",")[0]) for line in lines} == {"train"}


def test_other_parts_and_changed_files_are_refused(monkeypatch, tmp_path):
    for call in (dictionary_text, lambda part: words_of(part, ["word"])):
        with pytest.raises(ValueError, match="part: expected one of train, validation, test, got 'dev'"):
            call("dev")
    for name in words.WORDS_SHA256:
        (tmp_path / name).write_bytes((paths.DATA / name).read_bytes() + b"\0")
    monkeypatch.setattr(shipped, "DATA", tmp_path)
    with pytest.raises(OSError, match=r"words\.tsv\.gz has been changed"):
        load_words.__wrapped__()


def test_nobody_can_change_what_all_read():
    with pytest.raises(TypeError):
        WORDS.commonness["word"] = 1


def test_the_licences_are_beside_the_words():
    text = (paths.DATA / "words-licences.md").read_text(encoding="utf-8")
    for line in (
        "WordNet 3.0 Copyright 2006 by Princeton University",
        "Copyright (C) 1993-2015 Carnegie Mellon University",
    ):
        assert line in text
    assert "Copyright 2000-2011 by Kevin Atkinson" in text
