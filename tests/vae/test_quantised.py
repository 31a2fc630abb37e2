"""Vector quantisation: the nearest entry, the gradient that goes straight through, and a codebook that is used."""

import pytest
import torch

from course_lib.training.fit import fit
from course_lib.training.trained import Trained
from course_lib.vae.quantised import (
    Codebook,
    QuantisedAutoencoder,
    nearest_entry,
    perplexity,
    quantised_step,
    straight_through,
)


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_nearest_entry_is_the_one_of_all_distances():
    z, book = draws(3, 5, 4, 2), draws(17, 5, seed=1)
    every = torch.cdist(z.permute(0, 2, 3, 1).reshape(-1, 5), book)
    assert torch.equal(nearest_entry(z, book).flatten(), every.argmin(1))


def test_forward_it_is_the_entry_and_backward_it_is_not_there():
    """Value and derivative of an identity at z; the entries get none of this gradient."""
    z, entries = draws(2, 3).double().requires_grad_(), draws(2, 3, seed=1).double().requires_grad_()
    out = straight_through(z, entries)
    torch.testing.assert_close(out, entries)
    pull = draws(2, 3, seed=2).double()
    own, other = torch.autograd.grad((out.sin() * pull).sum(), (z, entries), allow_unused=True)
    torch.testing.assert_close(own, entries.detach().cos() * pull)
    assert other is None
    jacobian = torch.autograd.functional.jacobian(lambda x: straight_through(x, entries), z.detach())
    torch.testing.assert_close(jacobian.reshape(6, 6), torch.eye(6, dtype=torch.float64))


def test_each_term_pulls_its_own_side_alone_towards_the_other():
    book, z = Codebook(7, 3), draws(2, 3, 4, 4).requires_grad_()
    found = book(z)
    apart = z - book.look_up(found.symbols)
    for term, pulled in ((found.commitment, z), (found.codebook, book.entries)):
        others = {z: book.entries, book.entries: z}[pulled]
        own, other = torch.autograd.grad(term, (pulled, others), retain_graph=True, allow_unused=True)
        assert other is None
        if pulled is z:
            torch.testing.assert_close(own, 2 * apart / z.numel())
        else:  # an entry is pulled to the mean of its places, by the number of them
            entry = found.symbols.flatten()[0]
            rows = apart.permute(0, 2, 3, 1).reshape(-1, 3)[found.symbols.flatten() == entry]
            torch.testing.assert_close(own[entry], -2 * rows.sum(0) / z.numel())


def test_uses_are_counted_in_training_alone_and_unused_entries_come_back():
    book = Codebook(8, 2, decay=0.5)
    with torch.no_grad():
        book.entries[:] = draws(8, 2, seed=1)
        book.entries[:4] = 100.0  # far from everything
    z = draws(16, 2, 4, 4)
    book.eval()(z)
    assert torch.equal(book.uses, torch.zeros(8))
    book.train()
    for _ in range(10):
        book(z)
    assert torch.all(book.uses[:4] < 1e-3)
    assert book.uses.sum().item() == pytest.approx(1 - 0.5**10, abs=1e-5)
    assert book.revive(z) == 4
    places = z.permute(0, 2, 3, 1).reshape(-1, 2)
    assert all((places == entry).all(1).any() for entry in book.entries[:4])
    assert book.revive(z) == 0


def test_entries_come_back_where_places_are_far_from_theirs():
    """Of a thousand places at 0, which entry 0 holds, and ten far from it, the ten: one taken evenly is at 0."""
    book = Codebook(4, 2)
    z = torch.zeros(1, 2, 1, 1010)
    z[..., 1000:] = draws(1, 2, 1, 10) + 5.0
    with torch.no_grad():
        book.entries[:] = 0.0
        book.uses[0] = 1.0
    assert book.revive(z) == 3
    assert (book.entries[1:].norm(dim=1) > 2).all()


def test_perplexity_is_the_number_of_entries_used_alike():
    assert perplexity(torch.tensor([0.25] * 4 + [0.0] * 4)) == pytest.approx(4)
    assert perplexity(torch.tensor([1.0, 0.0])) == pytest.approx(1)
    shares = torch.tensor([0.5, 0.25, 0.25])
    assert perplexity(shares) == pytest.approx(torch.distributions.Categorical(shares).entropy().exp().item())


def test_shapes_and_that_symbols_are_all_that_is_needed():
    torch.manual_seed(0)
    model = QuantisedAutoencoder(channels=8, k=16, d=4)
    x = draws(3, 3, 32, 32)
    made, found = model(x)
    assert made.shape == x.shape
    assert found.symbols.shape == (3, 8, 8)
    assert torch.equal(model.symbols(x), found.symbols)
    torch.testing.assert_close(model.images(found.symbols), made, rtol=1e-4, atol=1e-5)


def test_training_reconstructs_better_and_revives():
    torch.manual_seed(0)
    model = QuantisedAutoencoder(1, channels=8, k=16, d=4)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    x = torch.nn.functional.interpolate(draws(64, 1, 4, 4), (16, 16)).tanh()
    trained = Trained({"model": model}, {"model": optimizer}, torch.Generator().manual_seed(0))
    batch = lambda generator: x[torch.randint(64, (16,), generator=generator)]
    history = fit(quantised_step(model, optimizer, patience=2), batch, 100, trained, every=25, progress=False)
    recon = history.curve("recon").values
    assert recon[-1] < 0.7 * recon[0]
    assert sum(history.curve("revived").values) > 0
    assert "revived" not in quantised_step(model, optimizer, patience=None)(x[:4])
