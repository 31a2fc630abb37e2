"""The learner writes how many draws count for each image, from the logarithms of their weights."""

import torch

from course_lib.chapters.ch07_vae_training import draws
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _plain(log_w):
    w = log_w.exp()
    return w.sum(0) ** 2 / (w**2).sum(0)


def _largest_of_all(log_w):
    w = (log_w - log_w.max()).exp()
    return w.sum(0) ** 2 / (w**2).sum(0)


ENTRY = Exercise(
    id="vae.effective_draws",
    reference=draws.effective_draws,
    probes=lambda: [
        Probe((2 * random(4, 3, seed=1),)),
        Probe((random(6, 2, seed=2) - 3.0,)),
        Probe((3 * random(5, 4, seed=3) + torch.tensor([-90.0, -140.0, -95.0, -60.0]).double(),)),
        Probe((random(3, 2, seed=4) - 900.0,), "three draws of two images, log-weights near -900"),
        Probe((random(4, 2, seed=5) - torch.tensor([20.0, 950.0]).double(),),
              "four draws of two images, log-weights near -20 and near -950"),
        Probe((torch.zeros(7, 2).double() - 100.0,), "equal weights"),
    ],
    checked="six sets of log-weights, of one image near -900, of two that lie 930 nats apart, and equal ones.",
    gradients=False,
    mistakes=(
        Mistake(
            "logs",
            lambda log_w: log_w.sum(0) ** 2 / (log_w**2).sum(0),
            "the logarithms themselves are taken for weights",
            "w is exp(log_w): a draw 3 nats lower has a twentieth of the weight.",
        ),
        Mistake(
            "overflow",
            _plain,
            "the weights themselves are computed, and exp(−900) is 0 for the computer",
            "a factor that an image's weights share cancels: which number may be taken from its log-weights first?",
        ),
        Mistake(
            "largest_of_all",
            _largest_of_all,
            "the largest log-weight of all images is subtracted",
            "an image that lies 900 nats lower then has nothing but zeros: subtract each image's own.",
        ),
        Mistake(
            "images",
            {"softmax(dim=0)": "softmax(dim=1)", "sum(dim=0)": "sum(dim=1)"},
            "the sums run over the images",
            "one number an image is asked for: the draws are the first axis.",
        ),
        Mistake(
            "inverse",
            {"1 / (shares**2)": "(shares**2)"},
            "the inverse comes back",
            "with k equal weights the result should be k.",
        ),
        Mistake(
            "share",
            {"1 / (shares**2)": "1 / len(log_w) / (shares**2)"},
            "the share of the k draws that count comes back",
            "(7.3) is a number of draws, from 1 to k.",
        ),
        Mistake(
            "entropy",
            {"1 / (shares**2).sum(dim=0)": "(-(shares * shares.clamp(min=1e-300).log()).sum(dim=0)).exp()"},
            "the exponential of the shares' entropy comes back, another measure of how many count",
            "(7.3) has squares in place of logarithms.",
        ),
    ),
    hints=(
        "Divide every w by the sum of all: (7.3) in these shares has only one sum.",
        "Shares from logarithms, without overflow: which function of chapter 02 does that?",
        "1 / log_w.softmax(0).square().sum(0)",
    ),
    why="A softmax subtracts the largest log-weight first, so nothing under- or overflows, and the factor that was "
    "taken out cancels between numerator and denominator.",
)  # fmt: skip
