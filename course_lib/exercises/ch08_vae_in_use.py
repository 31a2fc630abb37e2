"""The exercises of chapter 08: a VAE in use."""

import torch
from torch import Tensor

from course_lib import anomaly, ans, inpainting, vae
from course_lib.exercises.spec import Exercise, Mistake, Probe, Property, one_fault


def _random(*shape: int, seed: int) -> Tensor:
    """Numbers away from zero and without symmetry, which would hide faults."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.3


def _numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# --- one ANS step ------------------------------------------------------------------------------------------------

_ans_steps = [
    (10, 2, 3, 3),
    (1000, 0, 5, 4),
    (7, 9, 20, 6),
    (4321, 0, 32, 5),
    (123_456_789, 40, 37, 7),
    (3**60, 100, 77, 8),
    (2**90 - 12_345, 3, 16, 5),
]

ans_step = Exercise(
    id="vae.ans_step",
    reference=ans.ans_push,
    stub='''
def ans_push(state, start, frequency, precision):
    """Return the integer state with one more symbol on it, of probability frequency / 2**precision.

    The symbol owns the slots start … start + frequency - 1 of 2**precision; all are integers.
    Worked value: state = 10, start = 2, frequency = 3, precision = 3 give 27: 3 · 8 + 2 + 1.
    """
    # 1. how many times does frequency go into state, and what is left over?
    # 2. so many whole turns of 2**precision slots
    # 3. then the slot: what was left over, counted from start
    ...
''',
    probes=lambda: [
        Probe(s, says="state = {}, start = {}, frequency = {}, precision = {}".format(*s)) for s in _ans_steps
    ],
    checked="seven steps: a state below the frequency, a symbol that is certain, states of more than 90 bits.",
    gradients=False,
    mistakes=(
        Mistake(
            "no_remainder",
            lambda state, start, frequency, precision: (state // frequency << precision) + start,
            "what is left over by the division is dropped",
            "then 9, 10 and 11 become the same number for frequency 3: which of them was it?",
        ),
        Mistake(
            "no_start",
            lambda state, start, frequency, precision: (state // frequency << precision) + state % frequency,
            "the slot is counted from 0 and not from start",
            "all symbols would share the lowest slots; the decoder tells them apart by their slot.",
        ),
        Mistake(
            "remainder_of_slots",
            lambda state, start, frequency, precision: (
                (state // frequency << precision) + start + state % (1 << precision)
            ),
            "the remainder is taken for 2**precision",
            "what is left over by the division by frequency? It must stay within the symbol's slots.",
        ),
        Mistake(
            "multiplied_first",
            lambda state, start, frequency, precision: (state << precision) // frequency + start + state % frequency,
            "the state is multiplied by 2**precision before it is divided",
            "that was right in an interval; here only whole turns count: divide first, the rest is added in the slot.",
        ),
        Mistake(
            "pop",
            lambda state, start, frequency, precision: (
                (state >> precision) * frequency + state % (1 << precision) - start
            ),
            "a symbol is taken off: the step is the decoder's",
            "a push makes the state larger, by the factor 2**precision / frequency.",
        ),
        Mistake(
            "precision_is_total",
            lambda state, start, frequency, precision: state // frequency * precision + start + state % frequency,
            "precision is taken for the number of slots",
            "there are 2**precision slots: precision counts their bits.",
        ),
        Mistake(
            "caret",
            lambda state, start, frequency, precision: state // frequency * (2 ^ precision) + start + state % frequency,
            "2 ^ precision stands where 2**precision is meant",
            "^ is the exclusive or of bits in Python; a power is **, or 1 << precision.",
        ),
        Mistake(
            "shift_last",
            lambda state, start, frequency, precision: state // frequency << (precision + start + state % frequency),
            "everything behind << is the shift",
            "+ binds more tightly than <<: put brackets round the shift.",
        ),
        Mistake(
            "not_whole",
            lambda state, start, frequency, precision: state / frequency * 2**precision + start + state % frequency,
            "/ divides where whole turns are asked for",
            "// leaves the remainder, which is added later; with / it is counted twice.",
        ),
        Mistake(
            "floats",
            lambda state, start, frequency, precision: (
                (int(state / frequency) << precision) + start + state % frequency
            ),
            "the division goes through floats",
            "a float has 53 bits, and the state holds a whole message: // divides integers exactly.",
        ),
    ),
    properties=(
        Property(
            "slot",
            lambda pushed, state, start, frequency, precision: start <= pushed % 2**precision < start + frequency,
            "the new state modulo 2**precision lies in the symbol's slots, start … start + frequency - 1",
        ),
    ),
    hints=(
        "Push the fair bits 1, 0, 1 (start = bit, frequency 1, precision 1) on state 1: do you get 13, binary 1101?",
        "turns, rest = divmod(state, frequency): rest picks one of the symbol's frequency slots.",
        "return (state // frequency << precision) + start + state % frequency",
    ),
    why="Number the integers whose slot belongs to the symbol: 0, 1, 2, … Every turn of 2**precision has frequency of "
    "them, so number `state` lies in turn state // frequency, at place state % frequency. The decoder reads the slot, "
    "knows the symbol, and counts back. The state grows by 2**precision / frequency: the surprise, in bits.",
)

# --- self-normalised weights -------------------------------------------------------------------------------------


def _share(log_w: Tensor) -> Tensor:
    return log_w.softmax(0)


self_normalized_weights = Exercise(
    id="vae.self_normalized_weights",
    reference=inpainting.self_normalized_weights,
    stub='''
def self_normalized_weights(log_w):
    """Return (weights, ess): w / Σ w over the draws, and the effective sample size 1 / Σ weights².

    log_w (k, n) holds ln w of k draws for each of n images, −2,000 or +2,000 among them;
    returns (k, n) and (n,). Worked value: log_w = [[0.], [ln 3]] gives weights ¼ and ¾, ess 1.6.
    """
    # 1. divide by the sum over the draws without overflow: which function of PyTorch does that?
    # 2. one over the sum of squares, image by image
    ...
''',
    probes=lambda: [
        Probe((_random(5, 3, seed=1),)),
        Probe((2 * _random(4, 2, seed=2) - 2000,)),
        Probe((_random(3, 1, seed=3) + 2000,)),
        Probe((_random(7, 4, seed=4),)),
    ],
    checked="weights, effective sizes and gradients for 3 to 7 draws, logarithms near ±2,000 among them.",
    outputs=("weights", "ess"),
    mistakes=(
        Mistake(
            "images_axis",
            lambda log_w: (log_w.softmax(1), 1 / (log_w.softmax(1) ** 2).sum(0)),
            "the weights are normalised over the images",
            "the draws, on the first axis, compete with each other; images do not.",
        ),
        Mistake(
            "all_together",
            lambda log_w: (
                log_w.flatten().softmax(0).view_as(log_w),
                1 / (log_w.flatten().softmax(0).view_as(log_w) ** 2).sum(0),
            ),
            "the weights sum to 1 over draws and images together",
            "every image needs weights that sum to 1.",
        ),
        Mistake(
            "not_inverted",
            lambda log_w: (_share(log_w), (_share(log_w) ** 2).sum(0)),
            "ess is the sum of squares itself",
            "k equal weights give k · 1/k² = 1/k; k was wanted.",
        ),
        Mistake(
            "plain_sum",
            lambda log_w: (_share(log_w), 1 / _share(log_w).sum(0)),
            "ess is one over the sum of the weights",
            "that sum is always 1: square the weights first.",
        ),
        Mistake(
            "as_a_share",
            lambda log_w: (_share(log_w), 1 / (_share(log_w) ** 2).sum(0) / len(log_w)),
            "ess is divided by k",
            "a number of draws is asked for, from 1 to k.",
        ),
        Mistake(
            "entropy",
            lambda log_w: (_share(log_w), (-(_share(log_w) * log_w.log_softmax(0)).sum(0)).exp()),
            "ess is the exponential of the weights' entropy",
            "that counts draws, too, but the variance of a weighted mean goes with the sum of squares.",
        ),
        Mistake(
            "largest",
            lambda log_w: (_share(log_w), 1 / _share(log_w).amax(0)),
            "ess is one over the largest weight",
            "the others count as well: the sum of all squares.",
        ),
        Mistake(
            "log_weights",
            lambda log_w: (log_w.log_softmax(0), 1 / (_share(log_w) ** 2).sum(0)),
            "the logarithms of the weights come back",
            "weights are wanted, numbers between 0 and 1.",
        ),
        Mistake(
            "mean_one",
            lambda log_w: (_share(log_w) * len(log_w), 1 / ((_share(log_w) * len(log_w)) ** 2).sum(0)),
            "the weights have the mean 1 over the draws, not the sum 1",
            "Σ weights · value is to be an average: the weights sum to 1.",
        ),
    ),
    hints=(
        "What should ess be where all weights are equal? And where one of them has everything?",
        "log_w.softmax(0) divides by the sum over the draws, whatever the size of the logarithms.",
        "weights = log_w.softmax(0); return weights, 1 / (weights**2).sum(0)",
    ),
    why="p(observed) is unknown, and cancels in w / Σ w. Of k independent values with the same variance the weighted "
    "mean has Σ weights² times that variance, as if it were the plain mean of 1 / Σ weights² values.",
)

# --- a detector's score ---------------------------------------------------------------------------------------------


def _above(normal: Tensor, anomalous: Tensor, tie: float = 0.5) -> Tensor:
    n, a = normal[:, None], anomalous[None]
    return (a > n).double() + tie * (a == n).double()


auroc = Exercise(
    id="vae.auroc",
    reference=anomaly.auroc,
    stub='''
def auroc(normal, anomalous):
    """Return the probability that a random anomalous score is above a random normal one.

    normal (n,), anomalous (m,): scores, higher is stranger; a tie counts half. Returns a number.
    Worked value: normal = [1., 3.], anomalous = [2., 3., 4.] give 4.5/6 = 0.75.
    """
    # 1. compare every anomalous score with every normal one: (n, m)
    # 2. above counts 1, equal counts ½
    # 3. the mean over all pairs
    ...
''',
    probes=lambda: [
        Probe((_numbers(1, 3, 4, 4, 7), _numbers(2, 4, 4, 9))),
        Probe((_random(6, seed=1), _random(9, seed=2) + 0.4)),
        Probe((_numbers(0.5), _numbers(0.5, -1.0, 2.0, 3.0, 4.0))),
        Probe((_numbers(5, 6, 7, 6), _numbers(6, 1, 2))),
    ],
    checked="four pairs of sets of different sizes, with ties and without.",
    gradients=False,
    mistakes=(
        Mistake(
            "reversed",
            lambda normal, anomalous: float(_above(anomalous, normal).mean()),
            "it is the probability that the normal score is above",
            "a good detector gives anomalies the higher scores and should get 1.",
        ),
        Mistake(
            "ties_lost",
            lambda normal, anomalous: float(_above(normal, anomalous, 0.0).mean()),
            "ties count nothing",
            "a detector that gives everything the same score is chance: ½.",
        ),
        Mistake(
            "ties_won",
            lambda normal, anomalous: float(_above(normal, anomalous, 1.0).mean()),
            "ties count as won",
            "a detector that gives everything the same score is chance: ½.",
        ),
        Mistake(
            "count",
            lambda normal, anomalous: float(_above(normal, anomalous).sum()),
            "the pairs are counted and not divided by their number",
            "a probability is at most 1: there are n · m pairs.",
        ),
        Mistake(
            "gini",
            lambda normal, anomalous: float(2 * _above(normal, anomalous).mean() - 1),
            "it runs from −1 to 1: twice the area, minus 1",
            "chance is to be ½ here.",
        ),
        Mistake(
            "against_mean",
            lambda normal, anomalous: float((anomalous > normal.mean()).double().mean()),
            "the anomalous scores are compared with the normal ones' mean",
            "every normal score is a threshold of its own.",
        ),
        Mistake(
            "against_maximum",
            lambda normal, anomalous: float((anomalous > normal.max()).double().mean()),
            "only what is above all normal scores counts",
            "that is one threshold, with no false alarms; the area is over all of them.",
        ),
        Mistake(
            "in_order",
            lambda normal, anomalous: float(
                _above(normal, anomalous).diagonal().sum() / min(len(normal), len(anomalous))
            ),
            "only pairs with the same number are compared",
            "every anomalous score meets every normal one: normal[:, None] makes a column.",
        ),
    ),
    hints=(
        "What must come out where all scores are the same?",
        "anomalous > normal[:, None] compares all pairs.",
        "((anomalous > normal[:, None]).double() + 0.5 * (anomalous == normal[:, None]).double()).mean()",
    ),
    why="Sweeping a threshold draws the ROC curve; the area under it is this probability, so no threshold need be "
    "chosen. The library sorts once and counts by bisection, so that 10,000 against 10,000 need no table of 10⁸ pairs.",
)

# --- warm-up --------------------------------------------------------------------------------------------------------

_warmup_steps = [(0, 400), (100, 400), (399, 400), (400, 400), (1000, 400), (3, 7), (1, 1), (0, 0), (5, 0), (2, 3)]

kl_warmup = Exercise(
    id="vae.kl_warmup",
    reference=vae.kl_warmup,
    stub='''
def kl_warmup(step, steps):
    """Return the weight of the KL at a step, 0, 1, 2 …: a straight line from 0 to 1 in steps steps.

    From then on it is 1; steps = 0 is no warm-up, weight 1 from the beginning. Integers; a number back.
    Worked value: step = 100, steps = 400 give 0.25.
    """
    # 1. the share of the warm-up that is done
    # 2. never above 1
    # 3. and where there is no warm-up?
    ...
''',
    probes=lambda: [Probe(s, says="step = {}, steps = {}".format(*s)) for s in _warmup_steps],
    checked="ten pairs: before, at and after the end of the warm-up, and without one.",
    gradients=False,
    mistakes=(
        Mistake(
            "no_cap",
            lambda step, steps: step / steps if steps else 1.0,
            "it goes on rising beyond 1",
            "after the warm-up the objective is the ELBO, with the KL's weight 1.",
        ),
        Mistake(
            "zero_division",
            lambda step, steps: min(1.0, step / steps),
            "steps = 0 is divided by",
            "without a warm-up the weight is 1 at once.",
        ),
        Mistake(
            "off_without",
            lambda step, steps: min(1.0, step / steps) if steps else 0.0,
            "no warm-up means no KL",
            "the warm-up of length 0 is over at step 0.",
        ),
        Mistake(
            "one_early",
            lambda step, steps: min(1.0, (step + 1) / steps) if steps else 1.0,
            "steps are counted from 1",
            "the first step has number 0, and weight 0.",
        ),
        Mistake(
            "one_short",
            lambda step, steps: min(1.0, step / max(steps - 1, 1)) if steps else 1.0,
            "1 is reached one step early",
            "after steps steps, at step number steps.",
        ),
        Mistake(
            "falling",
            lambda step, steps: max(0.0, 1 - step / steps) if steps else 1.0,
            "it falls from 1 to 0",
            "the reconstruction comes first, the KL is let in slowly.",
        ),
        Mistake(
            "switch",
            lambda step, steps: float(step >= steps),
            "it jumps from 0 to 1 at the end of the warm-up",
            "a straight line: a quarter of the way, a quarter of the weight.",
        ),
        Mistake(
            "smooth",
            lambda step, steps: min(1.0, step / steps) ** 2 * (3 - 2 * min(1.0, step / steps)) if steps else 1.0,
            "the line is a smooth step",
            "a plain straight line is asked for.",
        ),
    ),
    hints=(
        "Which three cases are there?",
        "min(1.0, step / steps) is the line and the cap.",
        "return min(1.0, step / steps) if steps else 1.0",
    ),
    why="At the start the decoder knows nothing to do with z, and the KL is a price without a return. The weight lets "
    "z become useful first. What is optimised meanwhile is no bound: curves are compared after the warm-up alone.",
)

# --- diagnoses --------------------------------------------------------------------------------------------------------

_faults = {
    "beta_too_large": "the KL would be near 0, every reconstruction the same blurred picture, and the bound far worse.",
    "beta_too_small": "the KL would be larger than usual, reconstructions sharp, and draws of the prior broken.",
    "strong_decoder": "the KL would be near 0 although the bound is as good as ever, and better than the plain VAE's.",
    "mode_collapse": "samples would show a few classes alone; the bound of a VAE punishes every image that it misses.",
    "overfitting": "the bound on training images would rise while that on validation images falls.",
    "sampling_means": "only pictures would change, not one number of the bound.",
}

which_failure_1 = one_fault(
    "vae.which_failure_1",
    "strong_decoder",
    _faults,
    "The likelihood is good and z holds nothing: the decoder explains the image without it, and every nat in z would "
    "cost a nat of KL. Latents for a map, for search or for editing cannot come out of such a model.",
    "The bound is better than the plain VAE's. Does a run whose β is wrong do that?",
    "Who explains the pixels, if not z?",
)

which_failure_2 = one_fault(
    "vae.which_failure_2",
    "beta_too_small",
    _faults,
    "z holds more than the prior has room for: what the encoder fills is far from N(0, 1), so draws of the prior fall "
    "where the decoder never was. The distortion is small, the rate is what one pays.",
    "Which of the two terms is unusually large?",
    "Reconstructions start from q(z|x), samples from p(z). Where do the two meet?",
)

EXERCISES = (ans_step, self_normalized_weights, auroc, kl_warmup, which_failure_1, which_failure_2)
