"""The faults that chapter 16 shows, with an autoencoder and a drawer whose drawings are known."""

import pytest
import torch
from torch import nn

from course_lib.chapters.ch16_text_to_image import patients
from course_lib.chapters.ch16_text_to_image.patients import CAPTIONS, FAULTS, Drawer, measured, shown
from course_lib.chapters.exercises import REGISTRY
from course_lib.datasets.captions import encode, parse
from course_lib.datasets.scenes import held_out
from course_lib.pretrained.judges import load_judge


class Known(nn.Module):
    """An autoencoder whose symbol k is a square of 4 × 4 pixels, in the grey of k of 64."""

    def __init__(self):
        super().__init__()
        self.codebook = nn.Module()
        self.codebook.entries = torch.arange(64.0)[:, None]

    def images(self, symbols):
        grey = symbols / 32 - 1
        return grey.repeat_interleave(4, 1).repeat_interleave(4, 2)[:, None].expand(-1, 3, -1, -1)


class Model(nn.Module):
    """Has a device, as a model has."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(1, 1)


@pytest.fixture
def heard(monkeypatch, unchecked):
    """What the drawer was asked for; it draws the numbers 0 … 63 row by row."""
    calls = []

    def draw(model, tokens, generator, temperature=1.0, weight=1.0):
        calls.append((tokens, temperature, weight))
        return torch.arange(64).expand(len(tokens), 64)

    monkeypatch.setattr(patients, "draw_images", draw)
    return calls


def grid(fault, heard, tokens=None):
    tokens = encode(CAPTIONS) if tokens is None else tokens
    images = Drawer(Known(), Model(), None).drawn(tokens, fault, seed=0)
    return ((images[0, 0, ::4, ::4] + 1) * 32).round().long(), heard[-1]


def test_each_fault_changes_what_it_says_and_nothing_else(heard):
    tokens, in_rows = encode(CAPTIONS), torch.arange(64).view(8, 8)
    usual = (0.7, 2.0)
    symbols, (asked, *how) = grid("", heard)
    assert torch.equal(symbols, in_rows)
    assert torch.equal(asked, tokens)
    assert tuple(how) == usual
    symbols, (asked, *how) = grid("column_by_column", heard)
    assert torch.equal(symbols, in_rows.T)
    assert torch.equal(asked, tokens)
    assert tuple(how) == usual
    symbols, (asked, *how) = grid("temperature_zero", heard)
    assert torch.equal(symbols, in_rows)
    assert tuple(how) == (0.0, 2.0)
    _, (asked, *how) = grid("too_much_guidance", heard)
    assert torch.equal(asked, tokens)
    assert tuple(how) == (0.7, 20.0)
    _, (asked, *how) = grid("caption_of_another", heard)
    assert all(not torch.equal(a, b) for a, b in zip(asked, tokens, strict=True))
    assert tuple(how) == usual
    assert sorted(map(tuple, asked.tolist())) == sorted(map(tuple, tokens.tolist()))
    _, (asked, *how) = grid("words_sorted", heard)
    assert torch.equal(asked.sort(1).values, tokens.sort(1).values)
    assert tuple(how) == usual
    first = asked[0][asked[0] > 0].tolist()
    assert first == sorted(first)
    assert asked[0][len(first) :].sum() == 0


def test_of_a_collapsed_codebook_the_nearest_entries_that_are_left_are_drawn(heard, monkeypatch):
    often = torch.cat([torch.arange(64), *[torch.tensor([0, 10, 20, 30, 40, 50])] * 3])[-64:].expand(4, 64)
    monkeypatch.setattr(patients, "draw_images", lambda *args, **kwargs: often)
    images = Drawer(Known(), Model(), None).drawn(encode(CAPTIONS), "codebook_collapsed", seed=0)
    left = ((images + 1) * 32).round().long().unique().tolist()
    assert left == [0, 10, 20, 30, 40, 50]


def test_sheets_have_four_drawings_of_four_captions_and_all_faults_are_measured(heard, monkeypatch):
    dark = torch.tensor([0] * 50 + [60] * 14)
    monkeypatch.setattr(patients, "draw_images", lambda model, tokens, *how: dark.expand(len(tokens), 64))
    assert [len(parse(caption).things) for caption in CAPTIONS] == [2] * 4
    assert not held_out(torch.tensor([parse(caption).numbers for caption in CAPTIONS])).any()
    drawer = Drawer(Known(), Model(), load_judge())
    sheets = shown(drawer, {"sound": "", "A": "words_sorted"})
    assert list(sheets) == ["sound", "A"]
    assert all(images.shape == (16, 3, 32, 32) for images in sheets.values())
    found = measured(drawer, n=6)
    assert set(found) == {"sound", *FAULTS}
    assert all(0 <= share <= 1 for each in found.values() for share in each.values())
    assert set(FAULTS) == set(REGISTRY.find("text.symptom_1").options)
