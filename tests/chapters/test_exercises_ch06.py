"""Chapter 06's exercises: every known mistake in two writings is named, other right answers pass."""

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer

F = "torch.nn.functional"


def kl(variance="logvar.exp()", log="logvar", half="0.5 *", end=".sum(-1)", sign=""):
    return f"v = {variance}\nreturn {sign}({half} (mu * mu + v - 1 - {log})){end}"


def summed(term="mu[..., j] ** 2 + logvar[..., j].exp() - 1 - logvar[..., j]", start="0", back="total / 2"):
    """The same, latent by latent."""
    return f"total = {start}\nfor j in range(mu.shape[-1]):\n    total = total + {term}\nreturn {back}"


def row(term):
    """The standard deviation first."""
    return f"std = torch.exp(logvar / 2)\nreturn ({term}).sum(dim=-1)"


def draw(std="torch.exp(logvar / 2)", noise="eps", back="{}"):
    return "return " + back.format(f"torch.addcmul(mu, {std}, {noise})")


def draw_in_steps(std="logvar.div(2).exp()", noise="eps", back="z"):
    return f"std = {std}\nz = {noise} * std\nz = z + mu\nreturn {back}"


def bce(x="x", logits="logits", end=".sum(-1)", sign="-"):
    call = f"{F}.binary_cross_entropy_with_logits({logits}, {x}, reduction='none')"
    return f"return {sign}{call}{end}"


def two_terms(one="x * ls(logits)", zero="(1 - x) * ls(-logits)", back="(one + zero).sum(dim=-1)"):
    return f"ls = {F}.logsigmoid\none = {one}\nzero = {zero}\nreturn {back}"


def signed():
    """One logarithm: x decides the sign of the logit, and is owed no gradient."""
    return f"return {F}.logsigmoid((2 * x - 1) * logits).sum(-1)"


def chosen():
    """x decides between the two logarithms."""
    return f"ls = {F}.logsigmoid\nreturn torch.where(x > 0.5, ls(logits), ls(-logits)).sum(dim=-1)"


RECON, KL = "bernoulli_log_likelihood(x, logits)", "kl_to_standard_normal(mu, logvar)"


def parts(value="recon - kl", recon=RECON, kl=KL, back="value, recon, kl"):
    return (
        f"from course_lib.vae.likelihoods import bernoulli_log_likelihood\nfrom course_lib.information.divergences import kl_to_standard_normal\n"
        f"recon = {recon}\nkl = {kl}\nvalue = {value}\nreturn {back}"
    )


def by_hand(
    recon="-bce.sum(-1)", kl="0.5 * (mu ** 2 + logvar.exp() - logvar - 1).sum(-1)", value="r - k", back="[value, r, k]"
):
    return (
        f"bce = {F}.binary_cross_entropy_with_logits(logits, x, reduction='none')\n"
        f"r = {recon}\nk = {kl}\nvalue = {value}\nreturn {back}"
    )


def looped(update="total = torch.logaddexp(total, row)", back="total - torch.tensor(float(len(log_w))).double().log()"):
    return f"total = log_w[0]\nfor row in log_w[1:]:\n    {update}\nreturn {back}"


def shifted(mean="mean(0)", back="m + w.log()"):
    return f"m = log_w.amax(0).detach()\nw = (log_w - m).exp().{mean}\nreturn {back}"


WRONG = {
    "vae.kl_to_standard_normal": {
        "missing_half": (kl(half=""), summed(back="total")),
        "variance": (kl("logvar", "logvar.log()"), summed("mu[..., j] ** 2 + logvar[..., j] - 1 - torch.log(logvar[..., j])")),
        "log_std": (kl("(2 * logvar).exp()", "2 * logvar"), row("0.5 * (mu ** 2 + std ** 4 - 1) - 2 * std.log()")),
        "std": (kl("(0.5 * logvar).exp()"), row("0.5 * (mu ** 2 + std - 1) - std.log()")),
        "mean": (kl(end=".mean(-1)"), summed(back="total / 2 / mu.shape[-1]")),
        "no_one": (kl("logvar.exp() + 1"), row("0.5 * (mu ** 2 + std ** 2) - std.log()")),
        "log_of_std": (kl(log="0.5 * logvar"), row("0.5 * (mu ** 2 + std ** 2 - 1 - std.log())")),
        "sign": (kl(sign="-"), summed(back="-total / 2")),
        "reverse": (
            row("std.log() + (1 + mu ** 2) / (2 * std ** 2) - 0.5"),
            summed("(1 + mu[..., j] ** 2) / logvar[..., j].exp() - 1 + logvar[..., j]"),
        ),
        "values": (kl(log="logvar.relu()", variance="logvar.relu().exp()"), kl("logvar.clamp(-10, 10).exp()")),
        "not_summed": (kl(end=""), "std = torch.exp(logvar / 2)\nreturn 0.5 * (mu ** 2 + std ** 2 - 1) - std.log()"),
    },
    "vae.reparameterize": {
        "variance_for_std": (draw("logvar.exp()"), draw_in_steps("torch.exp(logvar)")),
        "logvar_is_variance": (draw("logvar.sqrt()"), draw_in_steps("logvar ** 0.5")),
        "logvar_is_std": (draw("logvar"), draw_in_steps("1.0 * logvar")),
        "shared": (draw(noise="eps[..., 0:1, :].expand(eps.shape)"), draw_in_steps(noise="eps.narrow(-2, 0, 1)")),
        "first_draw": (draw(noise="eps[:1]"), draw_in_steps(noise="eps.narrow(0, 0, 1)")),
        "values": (draw("torch.exp(logvar.abs() / 2)"), draw_in_steps("logvar.div(2).clamp(-5, 5).exp()")),
        "no_gradient": (draw(back="({}).detach()"), "with torch.no_grad():\n    return mu + logvar.mul(0.5).exp() * eps"),
        "eps_unused": (
            draw(noise="torch.randn_like(eps)"),
            "noise = torch.distributions.Normal(torch.zeros_like(eps), 1.0).sample()\nreturn mu + logvar.mul(0.5).exp() * noise",
        ),
        "mean_only": ("return mu + 0 * eps.detach()", "return mu.broadcast_to(eps.shape)"),
    },
    "vae.bernoulli_log_likelihood": {
        "formula": (
            "p = torch.sigmoid(logits)\nreturn (x * torch.log(p) + (1 - x) * torch.log(1 - p)).sum(-1)",
            "p = 0.5 * (1 + torch.tanh(logits / 2))\ntotal = 0\nfor j in range(x.shape[-1]):\n"
            "    total = total + x[..., j] * p[..., j].log() + (1 - x[..., j]) * (1 - p[..., j]).log()\nreturn total",
        ),
        "overflow": (
            "return (x * logits - torch.log1p(logits.exp())).sum(-1)",
            "total = 0\nfor j in range(logits.shape[-1]):\n    total = total + x[..., j] * logits[..., j] - (1 + torch.exp(logits[..., j])).log()\nreturn total",
        ),
        "cut": (
            "p = logits.sigmoid()\nreturn (x * (p + 1e-8).log() + (1 - x) * (1 - p + 1e-8).log()).sum(-1)",
            f"return -{F}.binary_cross_entropy(logits.sigmoid(), x, reduction='none').sum(-1)",
            bce(logits="logits.clamp(-30, 30)"),
        ),
        "mean": (bce(end=".mean(-1)"), two_terms(back="(one + zero).mean(dim=-1)")),
        "sign": (bce(sign=""), two_terms(back="-(one + zero).sum(dim=-1)")),
        "ones_only": (two_terms(back="one.sum(dim=-1)"), f"return -({F}.softplus(-logits) * x).sum(-1)"),
        "flipped": (bce(logits="-logits"), two_terms("(1 - x) * ls(logits)", "x * ls(-logits)")),
        "sigmoid_twice": (bce(logits="torch.sigmoid(logits)"), two_terms("x * ls(logits.sigmoid())", "(1 - x) * ls(-logits.sigmoid())")),
        "batch_too": (bce(end=".sum()"), two_terms(back="(one + zero).sum()")),
    },
    "vae.elbo": {
        "plus_kl": (parts("recon + kl"), by_hand(value="r + k")),
        "loss": (parts("kl - recon"), by_hand(value="-(r - k)")),
        "order": (parts(back="value, kl, recon"), by_hand(back="[value, k, r]")),
        "recon_mean": (parts(recon=f"{RECON} / x.shape[1]"), by_hand("-bce.mean(-1)")),
        "kl_mean": (parts(kl=f"{KL} / mu.shape[1]"), by_hand(kl="0.5 * (mu ** 2 + logvar.exp() - logvar - 1).mean(-1)")),
        "both_means": (
            parts(recon=f"{RECON} / x.shape[1]", kl=f"{KL} / mu.shape[1]"),
            by_hand("-bce.mean(-1)", "0.5 * (mu ** 2 + logvar.exp() - logvar - 1).mean(-1)"),
        ),
        "missing_half": (parts(kl=f"2 * {KL}"), by_hand(kl="(mu ** 2 + logvar.exp() - logvar - 1).sum(-1)")),
        "values": (
            parts(recon="bernoulli_log_likelihood(x, logits.clamp(-10, 10))"),
            by_hand(kl="0.5 * (mu ** 2 + logvar.abs().exp() - logvar.abs() - 1).sum(-1)"),
        ),
        "batch_mean": (parts(back="value.mean(), recon.mean(), kl.mean()"), by_hand(back="[value.mean(), r.mean(), k.mean()]")),
    },
    "vae.importance_weighted_bound": {
        "mean_of_logs": ("return log_w.mean(dim=0)", looped("total = total + row", "total / len(log_w)")),
        "underflow": ("return log_w.exp().mean(0).log()", "w = torch.exp(log_w)\nreturn torch.log(w.sum(0) / len(w))"),
        "not_added_back": ("m = log_w.amax(0)\nreturn (log_w - m).exp().mean(0).log()", looped(back="total - log_w.amax(0) - torch.tensor(float(len(log_w))).double().log()")),
        "no_k": (looped(back="total"), shifted("sum(0)")),
        "divided": (looped(back="total / len(log_w)"), shifted("sum(0)", "(m + w.log()) / log_w.shape[0]")),
        "largest": (
            "return log_w.max(0).values - torch.tensor(float(len(log_w))).double().log()",
            looped("total = torch.maximum(total, row)"),
        ),
        "batch_axis": (
            "return torch.logsumexp(log_w, dim=1) - torch.tensor(float(log_w.size(1))).double().log()",
            "m = log_w.amax(1, keepdim=True).detach()\nreturn m[:, 0] + (log_w - m).exp().mean(1).log()",
        ),
        "plus_k": (looped(back="total + torch.tensor(float(len(log_w))).double().log()"), shifted("sum(0)", "m + (w * len(log_w)).log()")),
    },
}  # fmt: skip

RIGHT = {
    "vae.kl_to_standard_normal": (summed(), row("0.5 * (mu ** 2 + std ** 2 - 1) - std.log()"), kl()),
    "vae.reparameterize": (draw(), draw_in_steps()),
    "vae.bernoulli_log_likelihood": (bce(), two_terms(), signed(), chosen()),
    "vae.elbo": (
        parts(),
        by_hand(),
        by_hand(recon=f"{F}.logsigmoid((2 * x - 1) * logits).sum(-1)"),
        by_hand(recon="torch.where(x > 0.5, logits.sigmoid(), (-logits).sigmoid()).log().sum(-1)"),
    ),
    "vae.importance_weighted_bound": (looped(), shifted()),
}


def test_the_answer_knows_its_tempting_ones():
    (answer,) = (e for e in REGISTRY.chapters["06_vae_math"].values() if isinstance(e, Answer))
    assert answer.right == 784 / 50
    assert answer.wrong.keys() >= {1.0, 50.0, 784.0, 50 / 784, 1 / 50, 1 / 784, -784 / 50}
