"""The shipped language model: the configuration in its file, its recorded weights, and what it costs a character."""

import json

import pytest
import torch
from safetensors.torch import load, save_file

from course_lib import paths
from course_lib.attention.transformer import modern
from course_lib.classroom.records import recorded
from course_lib.datasets import shipped
from course_lib.datasets.text import load_shakespeare
from course_lib.evaluation.language import cross_entropy
from course_lib.pretrained import language_model
from course_lib.pretrained.language_model import MODEL, MODEL_SHA256, load_language_model


def test_it_is_the_recorded_one_of_chapter_05():
    model = load_language_model()
    assert model.config == modern(65, context_length=128, n_layers=4, n_heads=2, d_model=128)
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    record = recorded("language_model").values
    assert record["sha256"] == MODEL_SHA256
    assert record["parameters"] == sum(parameter.numel() for parameter in model.parameters())


def test_it_costs_what_it_cost_where_it_was_trained():
    """Recorded are 1.4988 nats on the whole validation text; its first 10,000 characters, which take a second, are easier."""
    found = cross_entropy(load_language_model(), load_shakespeare().validation[:10_001])
    assert found == pytest.approx(1.3388, abs=0.001)


def test_weights_are_those_in_the_file_and_rounded_to_bfloat16():
    tensors = load((paths.DATA / MODEL).read_bytes())
    state = load_language_model().state_dict()
    assert tensors.keys() == state.keys()
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}
    assert all(torch.equal(tensors[name].float(), state[name]) for name in state)


def test_the_configuration_is_read_from_the_header_and_a_changed_file_is_not_read(tmp_path, monkeypatch):
    config = {"vocab_size": 3, "context_length": 2, "n_layers": 1, "n_heads": 1, "d_model": 4, "positions": "learned"}
    save_file({"other": torch.ones(1)}, tmp_path / MODEL, {"config": json.dumps(config)})
    monkeypatch.setattr(shipped, "DATA", tmp_path)
    with pytest.raises(OSError, match=f"data/{MODEL} has been changed"):
        load_language_model()
    sha256 = shipped.hashlib.sha256((tmp_path / MODEL).read_bytes()).hexdigest()
    monkeypatch.setattr(language_model, "MODEL_SHA256", sha256)
    with pytest.raises(RuntimeError, match=r"Missing key.*positions\.table"):  # a model of that configuration was built
        load_language_model()
