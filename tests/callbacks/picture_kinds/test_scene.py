"""Which items of the data pictures show."""

import torch

from genzoo.callbacks.picture_kinds.scene import MOST_ITEMS, SeenItems
from genzoo.models import GAN
from genzoo.networks.mlp import MLPPlayers
from tests.callbacks.picture_kinds.scenes import small_scene


def batches(number, size, start=0):
    """Batches of numbered items, whose labels are their numbers."""
    numbers = torch.arange(start, start + number * size)
    return [(each[:, None].float(), each) for each in numbers.split(size)]


def see_all(seen, given, is_held_out, of=None):
    for place, batch in enumerate(given):
        seen.see(batch, is_held_out, place, of or len(given), 3)


def test_training_items_are_kept_until_held_out_ones_come():
    seen = SeenItems()
    assert seen.many is None
    see_all(seen, batches(4, 10), False, of=1)
    assert seen.many[1].tolist() == list(range(40))
    see_all(seen, batches(2, 10, start=100), True)
    see_all(seen, batches(4, 10), False, of=1)
    assert seen.many[1].tolist() == list(range(100, 120))
    assert seen.first[1].tolist() == [100, 101, 102]


def test_a_check_of_sanity_and_later_epochs_bring_nothing_twice():
    seen, held_out = SeenItems(), batches(3, 10)
    see_all(seen, held_out[:2], True)
    see_all(seen, held_out, True)
    see_all(seen, held_out, True)
    assert seen.many[1].tolist() == list(range(30))


def test_some_of_every_batch_are_kept_where_there_are_many():
    seen, held_out = SeenItems(), batches(50, 100)
    see_all(seen, held_out, True)
    x, y = seen.many
    assert len(y) == MOST_ITEMS
    assert y.tolist() == [100 * batch + place for batch in range(50) for place in range(40)]
    assert torch.equal(x[:, 0], y.float())


def test_large_items_take_no_more_memory_than_a_bound():
    seen = SeenItems()
    for place in range(6):
        seen.see((torch.zeros(2, 3, 1024, 1024), torch.zeros(2)), True, place, 6, 1)
    assert len(seen.many[0]) * 3 * 1024 * 1024 * 4 <= 2 * 2**26


def test_random_codes_are_those_of_the_samples():
    scene = small_scene(GAN, MLPPlayers((8,), (8,)))
    model = scene.model.eval()
    torch.testing.assert_close(model.decode(scene.random_codes(5)), model.sample(5, seed=0).as_subclass(torch.Tensor))
