"""Chapter 06b's exercises: every known mistake in two writings is named, other right answers pass."""

from course_lib.chapters.exercises import REGISTRY

EYE = "torch.eye(W.shape[1], dtype=W.dtype)"


def inverse(
    precision=f"{EYE} + W.T @ W / s2", V="precision.inverse() @ W.T / s2", D="precision.diagonal().reciprocal()"
):
    return f"precision = {precision}\nreturn {V}, {D}"


def through_x(V="W.T @ torch.linalg.inv(C)", D="1 / (1 + (W ** 2).sum(0) / s2)", noise="s2"):
    """By the covariance of x: Cov(z, x) Cov(x)⁻¹ is Wᵀ(WWᵀ + σ²I)⁻¹."""
    return f"C = W @ W.T + {noise} * torch.eye(len(W), dtype=W.dtype)\nreturn [{V}, {D}]"


def looped(
    share="shares[i] ** 2", term="log_w[i]", shares="torch.exp(log_w - log_w.logsumexp(0)).detach()", back="total"
):
    return (
        f"shares, total = {shares}, 0\nfor i in range(len(log_w)):\n    total = total + {share} * {term}\nreturn {back}"
    )


def einsum(shares="torch.softmax(log_w.detach(), dim=0)", squared="s, s", log="log_w", back="{}"):
    return f"s = {shares}\nreturn " + back.format(f"torch.einsum('kb,kb,kb->b', {squared}, {log})")


WRONG = {
    "vae.best_linear_encoder": {
        "no_prior": (inverse("W.T @ W / s2"), "return (W.T @ W).inverse() @ W.T, s2 / (W ** 2).sum(0)"),
        "marginal": (inverse(D="precision.inverse().diagonal()"), through_x(D=f"torch.linalg.inv({EYE} + W.T @ W / s2).diag()")),
        "precision": (inverse(D="precision.diagonal()"), through_x(D="1 + (W ** 2).sum(0) / s2")),
        "std": (inverse(D="precision.diagonal() ** -0.5"), through_x(D="(1 + (W ** 2).sum(0) / s2).rsqrt()")),
        "one_by_one": (
            inverse(V="(W / s2 / precision.diagonal()).T"),
            "D = 1 / (1 + (W ** 2).sum(0) / s2)\nreturn torch.diag(D) @ W.T / s2, D",
        ),
        "no_noise": (inverse(V="precision.inverse() @ W.T"), through_x(V="s2 * W.T @ torch.linalg.inv(C)")),
        "noise_squared": (
            inverse(f"{EYE} + W.T @ W / s2 ** 2", "precision.inverse() @ W.T / s2 ** 2"),
            through_x(D="1 / (1 + (W ** 2).sum(0) / s2 ** 2)", noise="s2 ** 2"),
        ),
    },
    "vae.doubly_reparameterized_surrogate": {
        "once": (looped("shares[i]"), einsum(squared="s, torch.ones_like(s)")),
        "alive": (looped(shares="torch.exp(log_w - log_w.logsumexp(0))"), einsum("torch.softmax(log_w, dim=0)")),
        "batch_axis": (
            looped(shares="torch.exp(log_w - log_w.logsumexp(1, keepdim=True)).detach()"),
            einsum("torch.softmax(log_w.detach(), dim=1)"),
        ),
        "raw": (looped(shares="log_w.exp().detach()"), einsum("log_w.detach().exp()")),
        "averaged": (looped(back="total / len(log_w)"), einsum(back="{} / log_w.shape[0]")),
        "dead": (looped(term="log_w[i].detach()"), "with torch.no_grad():\n    return (log_w.softmax(0) ** 2 * log_w).sum(0)"),
    },
}  # fmt: skip

RIGHT = {
    "vae.best_linear_encoder": (inverse(), through_x()),
    "vae.doubly_reparameterized_surrogate": (looped(), einsum()),
}


def test_the_answer_knows_its_tempting_ones():
    eigenvalues, noise = (0.057, 0.039, 0.029, 0.018, 0.015), 0.025
    answer = REGISTRY.find("vae.latents_in_use")
    assert answer.right == sum(each > noise for each in eigenvalues)
    assert answer.wrong.keys() == {0, 1, 2, 4, 5}
