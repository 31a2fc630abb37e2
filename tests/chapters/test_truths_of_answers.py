"""Right answers by another way than the text's: a number counted or drawn, a diagnosis read off what was shown."""

import math
import re
from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from made import seeded
from torch.distributions import Categorical, Normal, kl_divergence
from torch.nn import functional as F

from course_lib.attention.tokens import BytePairs
from course_lib.chapters.ch02_attention import figures as of_02
from course_lib.chapters.ch02b_attention_reads import figures as of_02b
from course_lib.chapters.ch04_transformer.stacks import STACKS, variances
from course_lib.chapters.ch05b_tokens.encoders import compared
from course_lib.chapters.ch14b_many_devices.parts import symptoms
from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.records import recorded
from course_lib.training.roofline import product_intensity, ridge

f64 = torch.float64


def right(id):
    return REGISTRY.find(id).right


def test_the_most_likely_message_by_whole_numbers():
    chance = Fraction(9, 10) ** 1000
    bits = chance.denominator.bit_length() - chance.numerator.bit_length()  # log₂ of its inverse, to one bit
    assert abs(right("codes.most_likely") - bits) <= 1


@pytest.mark.parametrize(
    ("id", "pixels", "latents"), [("vae.beta_of_means", 784, 50), ("notation.kl_factor", 784, 200)]
)
def test_means_weigh_the_kl_as_autograd_finds(id, pixels, latents):
    """The weight beside that of the reconstruction, from the derivatives of PyTorch's own means."""
    errors = torch.rand(pixels, dtype=f64, generator=seeded(), requires_grad=True)
    nats = torch.rand(latents, dtype=f64, generator=seeded(1), requires_grad=True)
    (errors.mean() + nats.mean()).backward()
    assert right(id) == pytest.approx((nats.grad[0] / errors.grad[0]).item(), rel=1e-2)


def test_the_first_image_takes_what_drawn_codes_take():
    """50 latents of half a nat, 25 in all: −log₂ q of the bins that q draws, among 4,096 of equal mass."""
    mean = math.sqrt(2 - 0.7**2 + 2 * math.log(0.7))
    q, prior = Normal(torch.tensor(mean, dtype=f64), 0.7), Normal(torch.tensor(0.0, dtype=f64), 1.0)
    assert kl_divergence(q, prior).item() == pytest.approx(0.5, rel=1e-9)
    edges = prior.icdf(torch.linspace(0, 1, 4097, dtype=f64))
    mass = q.cdf(edges).diff().clamp(min=1e-300)
    drawn = torch.multinomial(mass, 50 * 4000, replacement=True, generator=seeded()).view(4000, 50)
    bits = -mass[drawn].log2().sum(1)
    error = bits.std() / len(bits) ** 0.5
    assert abs(bits.mean() - right("vae.initial_bits")) < 5 * error + 0.2  # and what cutting into bins costs


def test_a_loss_of_1_10_is_read_as_the_divergence_of_two_distributions_that_have_it():
    p, other = torch.tensor([[0.9, 0.1], [0.0, 1.0]], dtype=f64)

    def loss_and_divergence(share):
        q = share * other + (1 - share) * p
        d = p / (p + q)  # the best discriminator
        loss = -(torch.xlogy(p, d) + torch.xlogy(q, 1 - d)).sum()
        middle = Categorical((p + q) / 2)
        return loss.item(), sum(kl_divergence(Categorical(each), middle).item() for each in (p, q)) / 2

    low, high = 0.0, 1.0
    for _ in range(60):  # the loss falls as q moves away from p
        middle = (low + high) / 2
        low, high = (middle, high) if loss_and_divergence(middle)[0] > 1.10 else (low, middle)
    loss, divergence = loss_and_divergence(low)
    assert loss == pytest.approx(1.10, abs=1e-9)
    assert right("gan.read_the_loss") == pytest.approx(divergence, rel=1e-6)


def test_so_many_sequences_reach_the_ridge_of_the_card():
    """A width at which the weights are all that counts; the H100's peak and bandwidth as the chapter gives them."""
    batch = 1
    while product_intensity(batch, 2**24, 2**24, 2) < ridge(989e12, 3.35e12):
        batch += 1
    assert right("together.batch_at_the_ridge") == pytest.approx(batch, rel=0.01)


def test_the_step_on_paper_was_measured():
    (row,) = (row for row in recorded("step_prediction").values["float32"]["rows"] if row["width"] == 512)
    assert right("together.step_on_paper") == round(row["ms"])
    assert abs(row["predicted_ms"] / row["ms"] - 1) < 0.125


def test_three_tables_of_weights_show_their_faults(monkeypatch):
    shown = []
    monkeypatch.setattr(of_02, "matrix", lambda ax, weights, *_, **__: shown.append(weights))
    of_02.faulty_weights()
    _, b, c = shown
    ahead = torch.ones(6, 6, dtype=torch.bool).triu(1)
    symptoms_of = {
        "wrong_axis": lambda w: torch.allclose(w.sum(0), torch.ones(6, dtype=f64)) and (w[ahead] == 0).all(),
        "unmasked": lambda w: torch.allclose(w.sum(1), torch.ones(6, dtype=f64)) and (w[ahead] > 0).all(),
    }
    for letter, weights in zip("abc", shown, strict=True):
        found = [fault for fault, has in symptoms_of.items() if has(weights)]
        assert found == ([right(f"attention.fault_{letter}")] if letter != "b" else [])
    sound = F.normalize(c.masked_fill(ahead, 0), p=1, dim=1)  # the same scores, masked as they should be
    torch.testing.assert_close(b, F.normalize(sound**4, p=1, dim=1))  # not divided by √16 = 4
    assert right("attention.fault_b") == "unscaled"


def test_the_streams_variance_tells_the_stacks_apart():
    found = {name: torch.tensor(variances(name)) for name in STACKS}
    adds = {name: each.diff() for name, each in found.items()}
    multiplies = {name: each[1:] / each[:-1] for name, each in found.items()}
    assert [name for name in STACKS if (adds[name] - 1).abs().max() < 0.15] == ["a"]
    assert right("transformer.fault_a") == "norm_on_the_output"
    assert [name for name in STACKS if (multiplies[name] - 1.4).abs().max() < 0.1] == ["b"]
    assert right("transformer.fault_b") == "no_norm"


def test_the_words_shown_fit_one_rule_each():
    """Each rule written anew on strings: what is shown of A and of B comes out by one of them alone."""
    merges = ["an", "ban", "ana"]

    def apply(order, word, once=False, from_right=False):
        parts = list(word)
        while there := [m for m in order if any(a + b == m for a, b in pairwise(parts))]:
            places = range(len(parts) - 1)
            for i in reversed(places) if from_right else places:
                if i + 1 < len(parts) and parts[i] + parts[i + 1] == there[0]:
                    parts[i : i + 2] = [there[0]]
                    if once:
                        break
            if once:
                break
        return "|".join(parts)

    rules = {
        "longest_match": lambda word: "|".join(re.findall("ban|ana|an|.", word)),
        "newest_first": lambda word: apply(merges[::-1], word),
        "one_round": lambda word: apply(merges, word, once=True),
        "right_to_left": lambda word: apply(merges, word, from_right=True),
    }
    learned = {(ord("a"), ord("n")): 256, (ord("b"), 256): 257, (256, ord("a")): 258}
    rows = compared(BytePairs(tuple(learned), pattern=None), ("bana", "anana", "banana"))
    for column, id in ((2, "tokens.encoder_a"), (3, "tokens.encoder_b")):
        assert [rule for rule, cut in rules.items() if all(cut(row[0]) == row[column] for row in rows)] == [right(id)]


def test_the_patients_are_the_arms_that_the_record_names():
    patients = recorded("gan_failures").values["patients"]
    assert [right(f"gan.symptom_{i}") for i in (1, 2, 3)] == [patients[letter] for letter in "ABC"]


def test_the_profiles_differ_from_the_sound_one_in_what_is_named():
    """A sixteenth of the tokens; time outside of operators; a table that is filled in."""
    sound, *others = (recorded("step_profiles").values[name] for name in ("sound", "a", "b", "c"))
    signs = {
        "tiny_batch": lambda step: step["tokens"] < sound["tokens"] / 2,
        "data": lambda step: step["outside_ms"] > 2 * sound["outside_ms"],
        "explicit_attention": lambda step: "masked_fill_" in step["operators"],
    }
    assert not any(sign(sound) for sign in signs.values())
    for letter, step in zip("abc", others, strict=True):
        assert [cause for cause, sign in signs.items() if sign(step)] == [right(f"together.profile_{letter}")]


def test_two_devices_that_agree_were_averaged_and_the_wrong_rows_show_in_the_first_step():
    causes = {}
    for name, (apart, first) in symptoms().items():
        as_one = abs(first - 1) < 1e-9
        causes[name] = "no_averaging" if apart > 1e-9 else "no_fault" if as_one else "same_rows"
        assert abs(first - 2) > 1e-3  # no sum in place of a mean
    assert causes == {"A": right("together.run_a"), "B": right("together.run_b"), "C": "no_fault"}


def test_each_curve_of_02b_is_of_the_recorded_training_with_the_fault_that_is_right():
    """The picture names a curve by a letter and its held-out bits; the record has the bits under the fault's name."""
    values = recorded("attention_breaks").values
    figure = of_02b.three_curves(values["loss, means of ten steps"], values["after 350"])
    told = dict(
        re.findall(r"^([abc]): held-out (\d\.\d\d)$", "\n".join(t.get_text() for t in figure.axes[0].texts), re.M)
    )
    assert sorted(told) == ["a", "b", "c"]
    for letter, bits in told.items():
        (arm,) = (name for name, each in values["after 350"].items() if f"{sum(each) / len(each):.2f}" == bits)
        assert right(f"attention.curve_{letter}") == arm.removeprefix("one head, ").replace(" ", "_")
