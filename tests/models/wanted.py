"""What a player wants, written by hand."""

import torch

from genzoo.noise import BatchNoise


def assert_wants(player, expected, x, y):
    """Compares a player's loss, and its gradient with respect to all that the player moves, with one by hand.

    Args:
        player: Of a game.
        expected: A scalar of the same networks, and of noise as the first of a `BatchNoise` of seed 0 is.
        x: Items.
        y: Their labels.
    """
    found = player.loss(x, y, BatchNoise("cpu", 0))
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(loss, player.parameters(), retain_graph=True) for loss in (found, expected)]
    torch.testing.assert_close(*gradients)
    assert all(gradient.any() for gradient in gradients[0])
