"""Chapter 15b's exercises: every known mistake in two writings is named, other right answers pass."""

from course_lib.chapters.exercises import REGISTRY


def level(gain="s2 - s", half="0.5", s="a**2 / b**2", s2="c**2 / d**2"):
    return f"(a, b), (c, d) = now, then\ns, s2 = {s}, {s2}\nreturn {half} * squares * ({gain})"


def by_bayes(half="2", mean="c * (1 - k)", variance="d * d * (1 - k)", k="(a * d / (b * c)) ** 2"):
    return (
        f"a, b = now\nc, d = then\nk = {k}\napart = ({mean}) ** 2 * squares\nreturn apart / ({half} * {variance})"
    )  # fmt: skip


def bits(sign="-", cell="- math.log2(2 / levels)", unit="math.log(2)", pixels="dimensions"):
    return f"return {sign}(log_density / ({pixels} * {unit})) {cell}"


def volume(v="(2 / levels)", nats="-(log_density + dimensions * math.log(v))", back="n / dimensions / math.log(2)"):
    return f"v = {v}\nn = {nats}\nreturn {back}"


def again(shrink="a / c", extra="torch.sqrt(b * b - (s * d) ** 2)", x="s * x"):
    return f"(a, b), (c, d) = now, then\ns = {shrink}\nreturn {x} + {extra} * eps"


def split(signal="x.mul(r)", left="sigma ** 2 - r ** 2 * sigma2 ** 2", power="** 0.5"):
    return (
        f"alpha, sigma = now\nalpha2, sigma2 = then\nr = alpha / alpha2\n"
        f"noise = eps * ({left}) {power}\nreturn noise + {signal}"
    )


WRONG = {
    "diffusion.level_term": {
        "no_half": (level(half="1"), by_bayes(half="1")),
        "not_squared": (level(s="a / b", s2="c / d"), "gain = then[0] / then[1] - now[0] / now[1]\nreturn gain * squares / 2"),
        "reversed": (level("s - s2"), by_bayes(half="-2")),
        "one_end": (level("s2"), "return squares * (then[0] / then[1]).square() / 2"),
        "difference_of_alphas": (by_bayes(mean="c - a", variance="d * d"), level("(c - a) ** 2 / d ** 2")),
        "variance": (level(s="a**2 / b", s2="c**2 / d"), "f = lambda p: p[0].square() / p[1]\nreturn (f(then) - f(now)) * squares / 2"),
    },
    "diffusion.bits_per_dimension": {
        "cell_sign": (bits(cell="+ math.log2(2 / levels)"), volume("levels / 2")),
        "no_cell": (bits(cell=""), volume("1")),
        "unit_range": (bits(cell="+ math.log2(levels)"), volume("1 / levels")),
        "steps_between": (bits(cell="+ math.log2((levels - 1) / 2)"), volume("2 / (levels - 1)")),
        "nats": (bits(cell="- math.log(2 / levels)", unit="1"), volume(back="n / dimensions")),
        "whole_image": (volume(back="n / math.log(2)"), "return -log_density / math.log(2) + dimensions * math.log2(levels / 2)"),
        "negative": (bits("", "+ math.log2(2 / levels)"), volume(back="-n / dimensions / math.log(2)")),
        "cell_once": (volume(nats="-(log_density + math.log(v))"), bits(cell="+ math.log2(levels / 2) / dimensions")),
        "never_negative": (volume(back="(n / dimensions / math.log(2)).clamp(min=0)"), f"x = {bits()[7:]}\nreturn torch.where(x < 0, 0 * x, x)"),
    },
    "diffusion.noise_again": {
        "not_shrunk": (again(x="x"), split("x")),
        "whole_noise": (again(extra="b"), split(left="sigma", power="")),
        "old_noise_not_shrunk": (again(extra="(b * b - d * d).sqrt()"), split(left="sigma ** 2 - sigma2 ** 2")),
        "spreads_subtracted": (again(extra="(b - s * d)"), split(left="sigma - r * sigma2", power="")),
        "variance": (again(extra="(b * b - (s * d) ** 2)"), split(power="")),
        "taken_as_clean": (again("a", "b"), "return eps.mul(now[1]) + x.mul(now[0])"),
        "sum_of_squares_one": (again(extra="(1 - s * s).sqrt()"), split(left="1 - r * r")),
    },
}  # fmt: skip

RIGHT = {
    "diffusion.level_term": (level(), by_bayes()),
    "diffusion.bits_per_dimension": (bits(), volume()),
    "diffusion.noise_again": (again(), split()),
}


def test_a_perfect_network_copies():
    assert REGISTRY.find("diffusion.perfect_network").right == "copies"
