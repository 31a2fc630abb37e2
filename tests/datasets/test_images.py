"""The shipped images: what they are, that their parts do not overlap, and what damaged files are met with."""

import gzip
import hashlib

import pytest
import torch

from course_lib import paths
from course_lib.datasets import shipped
from course_lib.datasets.images import binarise, binary_test_digits, idx_array, load_digits, load_fashion


def sha256(images):
    return hashlib.sha256(images.to(torch.uint8).numpy().tobytes()).hexdigest()


@pytest.mark.parametrize(("load", "sizes"), [(load_digits, (9000, 1000, 10000)), (load_fashion, (9000, 1000, 2000))])
def test_parts_have_their_sizes_and_sums_and_share_no_image(load, sizes):
    images = load()
    readme = (paths.DATA / "README.md").read_text()
    parts = [images.train, images.validation, images.test]
    assert tuple(len(part) for part in parts) == sizes
    for part in parts:
        assert part.dtype == torch.uint8
        assert part.shape[1:] == (28, 28)
        assert sha256(part) in readme
    different = torch.unique(torch.cat([images.train, images.validation]).flatten(1), dim=0)
    assert len(different) == 10_000


@pytest.mark.parametrize("load", [load_digits, load_fashion])
def test_the_split_is_stratified_and_shuffled(load):
    images = load()
    train, validation = images.train_labels.bincount(), images.validation_labels.bincount()
    whole = (train + validation) / 10
    assert (validation - whole).abs().max() < 1  # as frequent as in the whole, rounded
    assert images.train_labels[:100].unique().numel() == 10
    assert images.validation_labels[:100].unique().numel() == 10


def test_labels_belong_to_their_images():
    """The mean of a class in one part is nearest to the mean of the same class in the others."""
    for images in (load_digits(), load_fashion()):
        means = lambda part, labels: torch.stack([part[labels == c].float().mean(0).flatten() for c in range(10)])
        train = means(images.train, images.train_labels)
        for part, labels in ((images.validation, images.validation_labels), (images.test, images.test_labels)):
            assert torch.equal(torch.cdist(means(part, labels), train).argmin(1), torch.arange(10))


def test_the_binarisation_of_the_test_digits_is_fixed_and_follows_the_grey_values():
    binary = binary_test_digits()
    assert sha256(binary) in (paths.DATA / "README.md").read_text()
    grey = load_digits().test.double() / 255
    error = (grey * (1 - grey)).sum().sqrt()
    assert (binary - grey).sum().abs() < 5 * error
    assert torch.equal(binary[grey == 0].unique(), torch.zeros(1))
    assert torch.equal(binary[grey == 1].unique(), torch.ones(1))
    again = binarise(load_digits().test, torch.Generator().manual_seed(1))
    assert not torch.equal(again, binary)


def test_grey_values_that_are_no_bytes_are_refused(unchecked):
    """They would be divided by 255 twice, and next to no pixel would be one."""
    grey = load_digits().test[:3] / 255
    for images in (grey, grey.double(), load_digits().test[:3].long()):
        with pytest.raises(TypeError, match=f"images: expected bytes, torch.uint8, got {images.dtype}"):
            binarise(images, torch.Generator())


def idx(shape, content, kind=8):
    header = bytes([0, 0, kind, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    return gzip.compress(header + content, mtime=0)  # or two workers of one run name the cases differently


def test_an_idx_file_is_read_in_its_shape():
    read = idx_array(idx((2, 3), bytes([1, 2, 3, 4, 5, 250])))
    assert read.tolist() == [[1, 2, 3], [4, 5, 250]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html>", "expected a gzipped IDX file, got b'<!DOCTYPE ht'"),
        (b"", "expected an IDX header|expected a gzipped IDX file"),
        (idx((2, 3), bytes(6))[:-9], "expected a gzipped IDX file"),
        (idx((2, 3), bytes(6), kind=13), "expected an IDX header for bytes, 00 00 08, got 00 00 0d 02"),
        (gzip.compress(b"\0\0\x08\x03\0\0", mtime=0), "expected an IDX header"),
        (idx((2, 3), bytes(5)), r"expected 6 bytes for the shape \[2, 3\], got 5"),
    ],
)
def test_what_is_no_idx_file_is_refused(content, says):
    with pytest.raises(ValueError, match=says):
        idx_array(content)


def test_a_changed_image_file_says_how_to_get_it_back(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "DATA", tmp_path)
    (tmp_path / "mnist-first-10000-images.idx.gz").write_bytes(b"<html>")
    with pytest.raises(OSError, match=r"has been changed: .* `git checkout -- data/mnist-first-10000-images.idx.gz`"):
        load_digits()
