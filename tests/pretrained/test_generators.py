"""The shipped generators: that they are the recorded ones, and that they draw what they are asked for."""

import pytest
import torch
from safetensors.torch import load

from course_lib import paths
from course_lib.classroom.records import recorded
from course_lib.datasets.images import load_digits, load_fashion
from course_lib.evaluation.classifier import accuracy, features_and_logits
from course_lib.evaluation.frechet import frechet_distance
from course_lib.gan.dcgan import sample, to_images
from course_lib.pretrained.classifiers import load_classifier
from course_lib.pretrained.generators import GENERATORS_SHA256, load_generator

RECORD = recorded("gan_images")


@pytest.mark.parametrize(
    ("name", "loader", "classes"), [("digits", load_digits, 0.97), ("fashion", load_fashion, 0.88)]
)
def test_it_is_the_recorded_generator_and_knows_its_classes(name, loader, classes):
    """Against the record's first seed."""
    images, classifier = loader(), load_classifier(name)
    n = len(images.test)
    z = torch.randn(n, 64, generator=torch.Generator().manual_seed(100))
    features, logits = features_and_logits(classifier, sample(load_generator(name), z, images.test_labels))
    real, _ = features_and_logits(classifier, to_images(images.test))
    distances = RECORD.arm(name, "long").each("frechet_distance")
    assert frechet_distance(features, real) == pytest.approx(distances[0], abs=0.1)
    assert accuracy(logits, images.test_labels) > classes


@pytest.mark.parametrize("name", GENERATORS_SHA256)
def test_the_file_is_small_named_in_the_readme_and_rounded_to_bfloat16(name):
    content = (paths.DATA / f"{name}_generator.safetensors").read_bytes()
    assert len(content) < 900_000
    assert {tensor.dtype for tensor in load(content).values()} == {torch.bfloat16}
    assert GENERATORS_SHA256[name] in (paths.DATA / "README.md").read_text()
    assert RECORD.values["sha256"][name] == GENERATORS_SHA256[name]


def test_it_comes_in_eval_mode_without_gradients_and_no_other_name_does(unchecked):
    generator = load_generator("digits")
    assert not generator.training
    assert not any(parameter.requires_grad for parameter in generator.parameters())
    with pytest.raises(ValueError, match="name: expected one of digits, fashion, got 'cats'"):
        load_generator("cats")
