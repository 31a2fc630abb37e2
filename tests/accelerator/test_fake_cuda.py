"""Pure functions on fake CUDA tensors: shapes without numbers, which PyTorch refuses to mix with the CPU's.

A build without CUDA has them for plain operations alone: no scalar that a matrix is divided by, no sort, no gather, no
backward pass. All of these, and every module, step and sampler, are tried on the stand-in device instead.
"""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from course_lib.attention.dot_product import softmax_jvp
from course_lib.attention.multi_head import join_heads, split_heads
from course_lib.attention.sampling import entropy
from course_lib.gan.dirac import dirac_field, dirac_path
from course_lib.gan.losses import OBJECTIVES
from course_lib.information.divergences import kl_to_standard_normal
from course_lib.vae.bounds import elbo, importance_weighted_bound, log_standard_normal, reparameterize
from course_lib.vae.likelihoods import (
    bernoulli_log_likelihood,
    discretized_logistic_log_likelihood,
    gaussian_log_likelihood,
)


def cuda(*shape):
    return torch.empty(*shape, device="cuda")


def whole(*shape):
    return torch.zeros(*shape, dtype=torch.long, device="cuda")


CALLS = {
    "softmax_jvp": lambda: softmax_jvp(cuda(2, 5), cuda(2, 5)),
    "heads": lambda: join_heads(split_heads(cuda(2, 3, 8), 4)),
    "entropy": lambda: entropy(cuda(2, 9)),
    "bernoulli": lambda: bernoulli_log_likelihood(cuda(2, 9), cuda(2, 9)),
    "gaussian": lambda: gaussian_log_likelihood(cuda(2, 9), cuda(2, 9), cuda(2, 9)),
    "logistic": lambda: discretized_logistic_log_likelihood(whole(2, 9), cuda(2, 9), cuda(2, 9)),
    "reparameterize": lambda: reparameterize(cuda(2, 3), cuda(2, 3), cuda(2, 3)),
    "elbo": lambda: elbo(cuda(2, 9), cuda(2, 9), cuda(2, 3), cuda(2, 3)),
    "importance": lambda: importance_weighted_bound(cuda(5, 2)),
    "prior": lambda: log_standard_normal(cuda(2, 3)),
    "kl": lambda: kl_to_standard_normal(cuda(2, 3), cuda(2, 3)),
    "dirac": lambda: dirac_field(cuda(3), cuda(3), 0.1),
    "dirac path": lambda: dirac_path(cuda(3), cuda(3), 5, 0.1, 0.1, method="alternating"),
    **{f"{name} of G": lambda loss=loss: loss.generator(cuda(4)) for name, loss in OBJECTIVES.items()},
    **{f"{name} of D": lambda loss=loss: loss.discriminator(cuda(4), cuda(4)) for name, loss in OBJECTIVES.items()},
}


@pytest.mark.parametrize("name", CALLS)
def test_what_comes_back_is_on_the_device(name, unchecked):
    with FakeTensorMode(), torch.no_grad():
        found = CALLS[name]()
    assert all(each.device.type == "cuda" for each in (found if isinstance(found, tuple) else (found,)))


def test_a_tensor_without_a_device_is_refused(unchecked):
    with FakeTensorMode(), torch.no_grad(), pytest.raises(RuntimeError, match="cuda:0 and cpu"):
        bernoulli_log_likelihood(cuda(2, 9), torch.randn(2, 9))
