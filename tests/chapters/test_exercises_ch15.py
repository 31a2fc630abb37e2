"""Chapter 15's exercises: every known mistake in two writings is named, other right answers pass."""

import math

import pytest
import torch
from torch import tensor

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer
from course_lib.diffusion.paths import STRAIGHT


def pair(at="t", place="a * x + s * eps", target="da * x + ds * eps", beside="t.view(-1, *[1] * (x.dim() - 1))"):
    """With the coefficients given the axes of x."""
    return (
        f"t = {beside}\na, s, da, ds = path.at({at})\nreturn {place}, {target}"
    )  # fmt: skip


def rows(at="t[i]", place="c.alpha * x[i] + c.sigma * eps[i]", target="c.d_alpha * x[i] + c.d_sigma * eps[i]"):
    """Row by row."""
    return (
        "places, targets = [], []\nfor i in range(len(x)):\n"
        f"    c = path.at({at})\n    places.append({place})\n    targets.append({target})\n"
        "return [torch.stack(places), torch.stack(targets)]"
    )


def solved(
    data="(ds * x_t - s * velocity) / d", noise="(a * velocity - da * x_t) / d", d="a * ds - s * da", back="data, noise"
):
    """By Cramer's rule."""
    return (
        "a, s, da, ds = path.at(t.reshape(-1, *(1 for _ in x_t.shape[1:])))\n"
        f"d = {d}\ndata, noise = {data}, {noise}\nreturn {back}"
    )


def by_linalg(matrix="[[c.alpha, c.sigma], [c.d_alpha, c.d_sigma]]", right="torch.stack([x_t[i].flatten(), velocity[i].flatten()])",
              back="[torch.stack(data), torch.stack(noise)]"):  # fmt: skip
    """By a solver, row by row."""
    return (
        "data, noise = [], []\nfor i in range(len(x_t)):\n    c = path.at(t[i])\n"
        f"    matrix = torch.stack([torch.stack(row) for row in {matrix}])\n"
        f"    both = torch.linalg.solve(matrix, {right})\n"
        "    data.append(both[0].view_as(x_t[i]))\n    noise.append(both[1].view_as(x_t[i]))\n"
        f"return {back}"
    )


def step(first="velocity(x, now.expand(len(x)))", tried="x + h * first", second="velocity(tried, then.expand(len(x)))",
         back="x + h * (first + second) / 2", h="then - now"):  # fmt: skip
    """As the reference, with its parts exchangeable."""
    return f"h = {h}\nfirst = {first}\ntried = {tried}\nsecond = {second}\nreturn {back}"


def in_two(start="x", move="0.5 * h * a + 0.5 * h * b", where="x + h * a", when="then"):
    """With full_like times, and the two halves added one after the other."""
    return (
        "ones = torch.ones(x.shape[0], dtype=x.dtype)\nh = (then - now).item()\n"
        f"a = velocity(x, ones * now)\nb = velocity({where}, ones * {when})\nreturn {start} + {move}"
    )


def two_calls(back="of_any + weight * (asked - of_any)", any_class="any_class"):
    return f"of_any = model(x_t, t, torch.full_like(labels, {any_class}))\nasked = model(x_t, t, labels)\nreturn {back}"


def weighed(any_share="1 - weight", share="weight", any_class="any_class"):
    """As a weighted sum, in one batch."""
    return (
        f"kinds = torch.cat([labels, labels * 0 + {any_class}])\n"
        "both = model(x_t.repeat(2, *[1] * (x_t.dim() - 1)), t.repeat(2), kinds)\nn = len(labels)\n"
        f"return ({any_share}) * both[n:] + ({share}) * both[:n]"
    )


WRONG = {
    "diffusion.noised_pair": {
        "noise_at_one": (
            pair(place="s * x + a * eps", target="ds * x + da * eps"),
            rows(place="c.sigma * x[i] + c.alpha * eps[i]", target="c.d_sigma * x[i] + c.d_alpha * eps[i]"),
        ),
        "one_minus_t": (pair(at="1 - t"), rows(at="1 - t[i]")),
        "backwards": (pair(target="-(da * x + ds * eps)"), rows(target="-c.d_sigma * eps[i] - c.d_alpha * x[i]")),
        "sigma_sign": (pair(target="da * x - ds * eps"), rows(target="c.d_alpha * x[i] + abs(c.d_sigma) * eps[i]")),
        "target_noise": (pair(target="eps"), rows(target="eps[i]")),
        "target_data": (pair(target="x"), rows(target="x[i]")),
        "straight_target": (pair(target="x - eps"), rows(target="x[i] - eps[i]")),
        "place_in_target": (pair(target="a * x + s * eps"), rows(target="places[-1]")),
        "variance_one": (
            pair(place="a * x + (1 - a ** 2).sqrt() * eps"),
            rows(place="c.alpha * x[i] + torch.sqrt((1 - c.alpha) * (1 + c.alpha)) * eps[i]"),
        ),
        "one_time": (rows(at="t[0]"), pair(beside="t[0]")),
        "times_across": (
            pair(beside="t if x.shape[0] == x.shape[-1] else t.view(-1, *[1] * (x.dim() - 1))"),
            "t = t[None] if len(t) == x.shape[-1] else t.view(-1, *[1] * (x.dim() - 1))\n" + pair(beside="t"),
        ),
        "raised": (
            pair(beside="t"),
            "c = path.at(t)\nreturn c.alpha * x + c.sigma * eps, c.d_alpha * x + c.d_sigma * eps",
        ),
    },
    "diffusion.data_and_noise": {
        "as_if_straight": (
            "t = t.view(-1, *[1] * (x_t.dim() - 1))\nreturn x_t + (1 - t) * velocity, x_t - t * velocity",
            by_linalg(matrix="[[t[i], 1 - t[i]], [torch.ones_like(t[i]), -torch.ones_like(t[i])]]"),
        ),
        "backwards": (
            solved("(ds * x_t + s * velocity) / d", "(-a * velocity - da * x_t) / d"),
            by_linalg(right="torch.stack([x_t[i].flatten(), -velocity[i].flatten()])"),
        ),
        "straight_and_backwards": (
            "t = t.view(-1, *[1] * (x_t.dim() - 1))\nreturn x_t - (1 - t) * velocity, x_t + t * velocity",
            by_linalg(
                matrix="[[t[i], 1 - t[i]], [-torch.ones_like(t[i]), torch.ones_like(t[i])]]",
            ),
        ),
        "swapped": (solved(back="noise, data"), by_linalg(back="[torch.stack(noise), torch.stack(data)]")),
        "negated": (solved(d="s * da - a * ds"), by_linalg(back="[-torch.stack(data), -torch.stack(noise)]")),
        "whole_way": (
            "return x_t + velocity, x_t - velocity",
            "return torch.add(x_t, velocity), torch.sub(x_t, velocity)",
        ),
        "not_finite": (  # divided by σ, which is 0 at the end
            solved(noise="(x_t - a * (ds * x_t - s * velocity) / d) / s"),
            solved("(x_t - s * noise) / a").replace(
                "data, noise = ", "noise = (a * velocity - da * x_t) / d\ndata, noise = "
            ),
        ),
    },
    "diffusion.heun_step": {
        "euler": (step(back="x + h * first"), in_two(move="h * a")),
        "second_alone": (step(back="x + h * second"), in_two(move="h * b")),
        "old_point": (step(tried="x"), in_two(where="x")),
        "old_time": (step(second="velocity(tried, now.expand(len(x)))"), in_two(when="now")),
        "not_halved": (step(back="x + h * (first + second)"), in_two(move="h * a + h * b")),
        "updated_twice": (step(back="tried + h * (first + second) / 2"), in_two(start="x + h * a")),
        "midpoint": (
            step(
                tried="x + h / 2 * first", second="velocity(tried, (now + h / 2).expand(len(x)))", back="x + h * second"
            ),
            in_two(where="x + 0.5 * h * a", when="(now + then) / 2", move="h * b"),
        ),
        "time_for_step": (step(h="then"), in_two().replace("(then - now).item()", "float(then)")),
        "raised": (step(first="velocity(x, now)"), step(second="velocity(tried, then)")),
    },
    "diffusion.guided": {
        "from_the_class": (two_calls("asked + weight * (asked - of_any)"), weighed("-weight", "1 + weight")),
        "exchanged": (two_calls("asked + weight * (of_any - asked)"), weighed("weight", "1 - weight")),
        "away": (two_calls("of_any - weight * (asked - of_any)"), weighed("1 + weight", "-weight")),
        "difference_alone": (two_calls("weight * (asked - of_any)"), weighed("-weight")),
        "asked_scaled": (two_calls("weight * asked"), weighed("0")),
        "added": (two_calls("of_any + weight * asked"), weighed("1")),
        "any_is_zero": (two_calls(any_class="0"), weighed(any_class="0")),
        "changed_arguments": (
            "asked = model(x_t, t, labels)\nlabels[:] = any_class\nof_any = model(x_t, t, labels)\n"
            "return of_any + weight * (asked - of_any)",
            "asked = model(x_t, t, labels)\nof_any = model(x_t, t, labels.fill_(any_class))\n"
            "return (1 - weight) * of_any + weight * asked",
        ),
    },
}

RIGHT = {
    "diffusion.noised_pair": (
        pair(),
        rows(),
        "shape = [len(t)] + [1] * (x.dim() - 1)\na, s, da, ds = (each.reshape(shape) for each in path.at(t))\n"
        "both = torch.stack([x, eps])\nplace = torch.stack([a * torch.ones(shape), s * torch.ones(shape)])\n"
        "return (place * both).sum(0), da * x + ds * eps",
    ),
    "diffusion.data_and_noise": (solved(), by_linalg()),
    "diffusion.heun_step": (step(), in_two(), in_two(where="x + (then - now) * a").replace("0.5 * h * a", "h * a / 2")),
    "diffusion.guided": (two_calls(), weighed(), two_calls("torch.lerp(of_any, asked, weight)")),
}


def test_the_worked_values_of_the_stubs():
    by_id = REGISTRY.chapters["15_diffusion"]
    one = lambda number: tensor([[number]])
    quarter = tensor([0.25])
    place, velocity = by_id["diffusion.noised_pair"].reference(one(3.0), one(1.0), quarter, STRAIGHT)
    assert (place.item(), velocity.item()) == (1.5, 2.0)
    data, noise = by_id["diffusion.data_and_noise"].reference(one(2.0), one(1.5), quarter, STRAIGHT)
    assert (data.item(), noise.item()) == (3.0, 1.0)
    to = by_id["diffusion.heun_step"].reference(lambda x, t: x + t[:, None], one(1.0), tensor(0.0), tensor(1.0))
    assert to.item() == 3
    says = {7: 5.0, 10: 2.0}
    model = lambda x, t, labels: tensor([[says[label]] for label in labels.tolist()])
    assert by_id["diffusion.guided"].reference(model, one(0.0), quarter, tensor([7]), 10, 2.0).item() == 8


def test_the_answers():
    answers = {id: e for id, e in REGISTRY.chapters["15_diffusion"].items() if isinstance(e, Answer)}
    assert {id: e.right for id, e in answers.items()} == {
        "diffusion.symptom_1": "times_not_stretched",
        "diffusion.symptom_2": "noise_as_velocity",
    }
    assert all(e.options == answers["diffusion.symptom_1"].options and len(e.options) == 6 for e in answers.values())


def test_what_is_left_of_noise_that_is_drawn_to_a_point():
    """The number that the first symptom's reason gives: dx/dt = m − x from 0 to 1, by twenty steps and exactly."""
    x = torch.ones((), dtype=torch.float64)
    for _ in range(20):
        x = x + (0 - x) / 20
    assert x.item() == pytest.approx(0.95**20)
    assert math.exp(-1) == pytest.approx(x.item(), abs=0.02)
    assert "0.37" in REGISTRY.find("diffusion.symptom_1").why
