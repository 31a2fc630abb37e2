"""The stages of chat on a stand-in for an accelerator without float64: the numbers are the CPU's, nothing is left behind."""

import copy

import pytest
import torch
from made import seeded
from standin import DEVICE, accelerator

from course_lib.attention.step import next_token_step
from course_lib.attention.tokens import BytePairs
from course_lib.attention.transformer import Transformer, modern
from course_lib.chat.likelihood import token_log_probabilities
from course_lib.chat.lora import add_lora, merge_lora
from course_lib.chat.preferences import bradley_terry_rewards, dpo_step, tilted
from course_lib.chat.rewards import group_advantages, leave_one_out_advantages, pass_at_k, reward_step
from course_lib.chat.sampling import draw_answers
from course_lib.chat.template import SPECIAL, ChatTemplate, batch_of, exchange

TEMPLATE = ChatTemplate(BytePairs((), SPECIAL))
REWARDS = torch.tensor([[1.0, 0.0, 0.5], [0.0, 0.0, 1.0]])


def model_on(device):
    torch.manual_seed(0)
    sizes = {"context_length": 16, "n_layers": 1, "n_heads": 2, "d_model": 8, "zero_init": False}
    return Transformer(modern(260, **sizes)).to(device)


def batch(device, *answers):
    encoded = [TEMPLATE.encode(exchange("ab", answer)) for answer in answers]
    return tuple(part.to(device) for part in batch_of(encoded, 10, TEMPLATE.end))


def trained(model, step, *batches):
    """The scalars of two steps and the weights behind them."""
    scalars = [step(batches) for _ in range(2)]
    return [x for found in scalars for x in found.values()] + list(model.parameters())


def sgd(model):
    return [torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)]


def tuned(device):
    model = model_on(device)
    add_lora(model, 2)
    found = trained(model, next_token_step(model, sgd(model)), *batch(device, "cd", "e"))
    merge_lora(model)
    return [*found, model(batch(device, "cd")[0])]


def preferred(device):
    model = model_on(device)
    step = dpo_step(model, copy.deepcopy(model), sgd(model))
    return trained(model, step, *batch(device, "cd", "e"), *batch(device, "f", "gh"))


def rewarded(device):
    model = model_on(device)
    inputs, targets = batch(device, "cd", "e")
    with torch.no_grad():
        old = token_log_probabilities(model, inputs, targets)
    step = reward_step(model, copy.deepcopy(model), sgd(model))
    return trained(model, step, inputs, targets, old, group_advantages(REWARDS.to(device))[:, 0])


def drawn(device):
    prompts = [TEMPLATE.prompt(text).to(device) for text in ("a", "b", "cd")]
    return draw_answers(model_on(device), prompts, seeded(0), TEMPLATE.end, 5)


def measured(device):
    rewards, wins = REWARDS.to(device), torch.tensor([[0, 3.0, 1], [2, 0, 4], [5, 1, 0]]).to(device)
    return [
        leave_one_out_advantages(rewards),
        tilted(rewards.softmax(-1), rewards, 0.5),
        bradley_terry_rewards(wins),
        pass_at_k(torch.tensor([0, 2, 5]).to(device), 5, 2),
    ]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("use", [tuned, preferred, rewarded, drawn, measured], ids=lambda use: use.__name__)
def test_it_is_the_same_there(use):
    with accelerator(float64=False):  # first: autograd counts the devices when it is first used
        there = [x.detach().cpu() for x in use(DEVICE)]
    here = [x.detach() for x in use("cpu")]
    assert len(here) == len(there) > 0
    for a, b in zip(here, there, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-4, atol=1e-5)
