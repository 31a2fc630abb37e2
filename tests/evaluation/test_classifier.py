"""The shipped classifiers: what they reach, what they refuse, and that an image's features are its own."""

import pytest
import torch
from safetensors.torch import load

from course_lib import paths
from course_lib.classroom.records import recorded
from course_lib.datasets import shipped
from course_lib.datasets.images import load_digits, load_fashion
from course_lib.datasets.levels import from_levels, to_levels
from course_lib.evaluation.classifier import Classifier, accuracy, features_and_logits
from course_lib.gan.dcgan import to_images
from course_lib.pretrained.classifiers import CLASSIFIERS_SHA256, load_classifier


def small(images):
    return from_levels(to_levels(images, shrink=2), enlarge=2)


@pytest.mark.parametrize(
    ("name", "loader", "shown", "least"),
    [
        ("digits", load_digits, to_images, 0.98),
        ("fashion", load_fashion, to_images, 0.87),
        ("small_digits", load_digits, small, 0.98),
    ],
)
def test_test_accuracy_is_the_recorded_one(name, loader, shown, least):
    images = loader()
    chosen = slice(0, 2000)
    _, logits = features_and_logits(load_classifier(name), shown(images.test[chosen]))
    found = accuracy(logits, images.test_labels[chosen])
    record = recorded("classifiers").arm(name)
    shares = record.each("test")
    assert record.values["sha256"] == CLASSIFIERS_SHA256[name]
    assert len(shares) == len(record.seeds) >= 3
    assert min(shares) >= least
    assert found == pytest.approx(shares[0], abs=0.001 if name == "fashion" else 0.02)


@pytest.mark.parametrize("name", CLASSIFIERS_SHA256)
def test_shipped_weights_are_small_and_rounded_to_bfloat16(name):
    content = (paths.DATA / f"{name}_classifier.safetensors").read_bytes()
    assert len(content) < 300_000
    assert {tensor.dtype for tensor in load(content).values()} == {torch.bfloat16}
    assert CLASSIFIERS_SHA256[name] in (paths.DATA / "README.md").read_text()


def test_features_are_what_the_last_layer_sees_and_an_images_own():
    classifier = load_classifier("digits")
    assert not classifier.training
    assert not any(p.requires_grad for p in classifier.parameters())
    images = to_images(load_digits().test[:37])
    features, logits = features_and_logits(classifier, images, at_once=5)
    assert features.shape == (37, 64)
    assert features.min() >= 0
    torch.testing.assert_close(classifier.last(features), logits)
    torch.testing.assert_close(classifier(images), logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(classifier.features(images[5:6]), features[5:6], atol=1e-4, rtol=1e-4)


def test_features_and_logits_leave_mode_and_statistics_alone():
    classifier = Classifier(dropout=0.5)
    before = {key: value.clone() for key, value in classifier.state_dict().items()}
    images = to_images(load_digits().train[:20])
    first, again = (features_and_logits(classifier, images) for _ in range(2))
    assert classifier.training
    assert torch.equal(first[0], again[0])
    assert not first[1].requires_grad
    assert all(torch.equal(value, before[key]) for key, value in classifier.state_dict().items())


def test_the_gradient_reaches_the_images():
    images = to_images(load_digits().test[:3]).requires_grad_()
    load_classifier("digits").features(images).sum().backward()
    assert images.grad.flatten(1).abs().amax(1).min() > 0.01  # of each image


BYTES = load_digits().test[:5]


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (BYTES[:, None].float(), "from −1, black, to 1, white, got 0 … 255; bytes become images by .*to_images"),
        (BYTES[:, None] / 255, "got 0 … 1; images in .0, 1. become 2 · images − 1"),
        (3 * to_images(BYTES), "got -3 … 3$"),
        (torch.full((1, 1, 28, 28), torch.nan), "got nan … nan$"),
        (torch.zeros(0, 1, 28, 28), "expected at least one, got none"),
    ],
)
def test_images_in_another_range_are_refused(images, says):
    classifier = load_classifier("digits")
    for call in (classifier, classifier.features, lambda x: features_and_logits(classifier, x)):
        with pytest.raises(ValueError, match=says):
            call(images)


def test_other_names_and_changed_files_are_refused(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="name: expected one of digits, fashion, small_digits, got 'letters'"):
        load_classifier("letters")
    content = (paths.DATA / "digits_classifier.safetensors").read_bytes()
    (tmp_path / "digits_classifier.safetensors").write_bytes(content[:-1] + b"\0")
    monkeypatch.setattr(shipped, "DATA", tmp_path)
    with pytest.raises(OSError, match=r"digits_classifier\.safetensors has been changed"):
        load_classifier("digits")
