"""Chapter 07's exercises: every known mistake in two writings is named, other right answers pass."""


def size(body="stride * (size - 1) + kernel - 2 * padding"):
    return f"return {body}"


def painted(first="0", step="stride", end="end - 2 * padding"):
    """Pixel by pixel: where the last one ends."""
    return f"begin = {first}\nfor _ in range(size - 1):\n    begin += {step}\nend = begin + kernel\nreturn {end}"


def terms(recon="(x * logits - F.softplus(logits)).sum(1)", kl="0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1)",
          loss="(beta * kl - recon).mean()", back="loss, recon.mean(), kl.mean()"):  # fmt: skip
    return f"from torch.nn import functional as F\nrecon = {recon}\nkl = {kl}\nloss = {loss}\nreturn {back}"


def with_torch(reduction="sum", scale="1", divide="len(x)", kl_divide="len(x)", half="1",
               loss="beta * kl - recon", back="loss, recon, kl"):  # fmt: skip
    """By torch's cross-entropy and its distributions, all summed first."""
    return (
        "from torch.distributions import Normal, kl_divergence\nfrom torch.nn import functional as F\n"
        f"recon = -F.binary_cross_entropy_with_logits(logits, x, reduction='sum') / ({divide})\n"
        "q, p = Normal(mu, logvar.div(2).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu))\n"
        f"kl = {half} * kl_divergence(q, p).sum() / ({kl_divide})\nloss = {loss}\nreturn {back}"
    )


def drawn(shares="log_w.softmax(0)", back="1 / shares.square().sum(0)"):
    return f"shares = {shares}\nreturn {back}"


def weighed(w="torch.exp(log_w - log_w.max(0).values)", dim="0", back="above / below"):
    """(7.3) as it stands, with weights relative to each image's largest."""
    return f"w = {w}\nabove, below = w.sum({dim}) ** 2, (w * w).sum({dim})\nreturn {back}"


WRONG = {
    "vae.transposed_size": {
        "convolution": (size("(size + 2 * padding - kernel) // stride + 1"), "n = size - kernel + 2 * padding\nreturn 1 + n // stride"),
        "no_minus_one": (size("stride * size + kernel - 2 * padding"), painted("stride")),
        "one_border": (size("stride * (size - 1) + kernel - padding"), painted(end="end - padding")),
        "padding_added": (size("stride * (size - 1) + kernel + 2 * padding"), painted(end="end + 2 * padding")),
        "dilation": (size("size + (kernel - 1) * stride - 2 * padding"), "reach = 1 + stride * (kernel - 1)\nreturn reach - 1 + size - 2 * padding"),
        "no_stride": (size("size - 1 + kernel - 2 * padding"), painted(step="1")),
    },
    "vae.batch_loss": {
        "article": (
            terms("(x * logits - F.softplus(logits)).mean(1)", "0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean(1)"),
            with_torch(divide="x.numel()", kl_divide="mu.numel()"),
        ),
        "pixel_mean": (terms("(x * logits - F.softplus(logits)).mean(1)"), with_torch(divide="x.numel()")),
        "latent_mean": (
            terms(kl="0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean(1)"), with_torch(kl_divide="mu.numel()"),
        ),
        "batch_sum": (
            terms(loss="(beta * kl - recon).sum()", back="loss, recon.sum(), kl.sum()"),
            with_torch(divide="1", kl_divide="1"),
        ),
        "sign": (terms(loss="(recon - beta * kl).mean()"), with_torch(loss="recon - beta * kl")),
        "both_added": (terms(loss="(recon + beta * kl).mean()"), with_torch(loss="recon + beta * kl")),
        "beta_on_recon": (terms(loss="(kl - beta * recon).mean()"), with_torch(loss="kl - recon * beta")),
        "no_beta": (terms(loss="(kl - recon).mean()"), with_torch(loss="kl - recon")),
        "weighted_kl": (terms(back="loss, recon.mean(), beta * kl.mean()"), with_torch(back="loss, recon, beta * kl")),
        "log_sigma": (
            terms(kl="0.5 * (mu**2 + (2 * logvar).exp() - 1 - 2 * logvar).sum(1)"),
            with_torch().replace("logvar.div(2).exp()", "logvar.exp()"),
        ),
        "cross_entropy": (terms(back="loss, (-recon).mean(), kl.mean()"), with_torch(back="loss, -recon, kl")),
        "kl_subtracted": (terms(loss="-(recon + beta * kl).mean()"), with_torch(loss="-recon - beta * kl")),
        "missing_half": (terms(kl="(mu**2 + logvar.exp() - 1 - logvar).sum(1)"), with_torch(half="2")),
    },
    "vae.effective_draws": {
        "logs": (weighed("log_w"), "return log_w.sum(0).square() / log_w.square().sum(0)"),
        "overflow": (weighed("log_w.exp()"), drawn("log_w.exp() / log_w.exp().sum(0)")),
        "largest_of_all": (weighed("(log_w - log_w.max()).exp()"),
                           drawn("(log_w - log_w.amax()).exp()", "shares.sum(0).square() / shares.square().sum(0)")),
        "images": (drawn("log_w.softmax(1)", "1 / shares.square().sum(1)"),
                   weighed("torch.exp(log_w - log_w.max(1, keepdim=True).values)", "1")),
        "inverse": (drawn(back="shares.square().sum(0)"), weighed(back="below / above")),
        "share": (drawn(back="1 / shares.square().sum(0) / len(log_w)"), weighed(back="above / below / len(w)")),
        "entropy": (drawn(back="torch.exp(-torch.xlogy(shares, shares).sum(0))"),
                    drawn(back="torch.distributions.Categorical(shares.T).perplexity()")),
    },
}  # fmt: skip

RIGHT = {
    "vae.transposed_size": (
        size(),
        painted(),
        size("size * stride - stride + kernel - padding - padding"),
        size(
            "torch.nn.functional.conv_transpose1d(torch.ones(1, 1, size), torch.ones(1, 1, kernel), None, stride, padding).shape[-1]"
        ),
    ),
    "vae.effective_draws": (
        drawn(),
        weighed(),
        "return (2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)).exp()",
        "return torch.stack([1 / torch.softmax(column, 0).pow(2).sum() for column in log_w.T])",
    ),
    "vae.batch_loss": (
        terms(),
        with_torch(),
        "loss = recon = kl = 0\nfor i in range(len(x)):\n"
        "    r = ((x[i] * torch.nn.functional.logsigmoid(logits[i])) + (1 - x[i]) * torch.nn.functional.logsigmoid(-logits[i])).sum()\n"
        "    k = ((mu[i] ** 2 + logvar[i].exp() - 1 - logvar[i]) / 2).sum()\n"
        "    recon, kl = recon + r / len(x), kl + k / len(x)\nreturn [beta * kl - recon, recon, kl]",
    ),
}
