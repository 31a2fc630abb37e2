"""The shipped flows: that they are the recorded ones, and that they draw what they are asked for."""

import pytest
import torch
from safetensors.torch import load

from course_lib import paths
from course_lib.classroom.records import recorded
from course_lib.datasets.images import load_digits
from course_lib.diffusion.guidance import sample
from course_lib.evaluation.classifier import accuracy, features_and_logits
from course_lib.evaluation.frechet import frechet_distance
from course_lib.gan.dcgan import to_images
from course_lib.pretrained.classifiers import load_classifier
from course_lib.pretrained.unets import UNETS_SHA256, load_unet

RECORD = recorded("diffusion_digits")


@pytest.mark.parametrize(("name", "least"), [("digits", 0.95), ("fashion", 0.8)])
def test_it_draws_the_classes_that_are_asked_for(name, least):
    labels = torch.arange(200) % 10
    z = torch.randn(200, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    made = sample(load_unet(name), z, labels, 1.5, steps=6).clamp(-1, 1)
    assert accuracy(features_and_logits(load_classifier(name), made)[1], labels) > least


def test_its_digits_are_as_near_to_real_ones_as_the_records():
    """500 images, so the distance is larger than the record's of 2,000 by a bias that real images share."""
    digits, classifier = load_digits(), load_classifier("digits")
    real = features_and_logits(classifier, to_images(digits.test))[0]
    z = torch.randn(500, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    made = sample(load_unet("digits"), z, digits.test_labels[:500], 1.5, steps=6).clamp(-1, 1)
    recorded_one = RECORD.arm("classes", "few", "weight 1.5").each("frechet_distance")[0]
    assert frechet_distance(features_and_logits(classifier, made)[0], real) < recorded_one + 1


@pytest.mark.parametrize("name", UNETS_SHA256)
def test_the_file_is_small_named_in_the_readme_and_rounded_to_bfloat16(name):
    content = (paths.DATA / f"{name}_unet.safetensors").read_bytes()
    assert len(content) < 700_000
    assert {tensor.dtype for tensor in load(content).values()} == {torch.bfloat16}
    assert UNETS_SHA256[name] in (paths.DATA / "README.md").read_text()
    assert RECORD.values["sha256"][name] == UNETS_SHA256[name]


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="name: expected one of digits, fashion, got 'letters'"):
        load_unet("letters")
