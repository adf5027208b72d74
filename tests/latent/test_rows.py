import torch

from genzoo.latent.rows import decoded_rows, step_sizes
from tests.latent.samplers import CLASSES, generator, normal, scaling


def test_rows_are_decoded_in_their_order():
    codes = normal(7, 50, 2)
    rows = decoded_rows(scaling(2.0, -1.0), codes)
    torch.testing.assert_close(rows.items, codes * torch.tensor([2.0, -1.0]))
    assert not rows.items.requires_grad


def test_conditions_go_with_their_codes():
    sampler, codes = generator(condition=CLASSES), normal(2, 3, 5)
    conditions = CLASSES.encode(torch.tensor([0, 1, 2, 2, 1, 0])).view(2, 3, 3)
    expected = sampler.decode(codes.flatten(0, 1), [0, 1, 2, 2, 1, 0]).view(2, 3, 1, 4, 4)
    torch.testing.assert_close(decoded_rows(sampler, codes, conditions).items, expected.detach())


def test_step_sizes_are_roots_of_mean_squares():
    items = torch.zeros(1, 3, 1, 2, 2)
    items[0, 1, 0, 0, 0], items[0, 2] = 1.0, 0.25
    expected = torch.tensor([[0.5, ((0.75**2 + 3 * 0.25**2) / 4) ** 0.5]])
    torch.testing.assert_close(step_sizes(items), expected)
