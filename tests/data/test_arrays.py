import warnings

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset
from torch.utils.data.distributed import DistributedSampler

from genzoo.data.arrays import EpochSampler, ImageArray
from genzoo.data.loading import share_batch


def numbered_images(count):
    """Images whose pixels all carry the image's number, and labels that are ten times it."""
    images = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 3, 4, 4)).copy()
    return ImageArray(images, 10 * np.arange(count))


def order_of(count, **settings):
    return list(EpochSampler(range(count), **settings))


def test_a_batch_holds_the_images_asked_for_in_their_order():
    images, labels = numbered_images(10).__getitems__([7, 0, 7])
    assert images.shape == (3, 3, 4, 4)
    assert images.dtype == torch.uint8
    assert images[:, 2, 3, 3].tolist() == [7, 0, 7]
    assert labels.dtype == torch.int64
    assert labels.tolist() == [70, 0, 70]


def test_a_single_image():
    image, label = numbered_images(10)[4]
    assert image.shape == (3, 4, 4)
    assert image.unique().tolist() == [4]
    assert label.item() == 40
    assert len(numbered_images(10)) == 10


def test_batches_are_copies():
    data = numbered_images(3)
    data.__getitems__([1])[0].fill_(99)
    assert data[1][0].unique().tolist() == [1]


def test_memory_maps_are_read_without_warnings(tmp_path):
    np.save(tmp_path / "images.npy", numbered_images(10).images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images, _ = ImageArray(mapped, np.zeros(10, np.int64)).__getitems__([3, 5])
    assert images[:, 0, 0, 0].tolist() == [3, 5]
    assert type(ImageArray(mapped, np.zeros(10, np.int64)).images) is np.ndarray


def test_images_without_labels_are_refused():
    with pytest.raises(ValueError, match="3 images, but 2 labels"):
        ImageArray(np.zeros((3, 1, 2, 2), np.uint8), np.zeros(2, np.int64))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_fetches_whole_batches(workers):
    part = Subset(numbered_images(10), [8, 6, 4, 2, 0])
    loader = DataLoader(part, batch_size=2, collate_fn=share_batch, num_workers=workers)
    assert [labels.tolist() for _, labels in loader] == [[80, 60], [40, 20], [0]]


@pytest.mark.parametrize(("count", "ranks"), [(12, 1), (12, 3), (13, 3), (2, 3)])
def test_in_evaluation_ranks_are_even_and_the_place_tells_repeats(count, ranks):
    shares = [order_of(count, num_replicas=ranks, rank=rank) for rank in range(ranks)]
    own = [
        [row for place, row in enumerate(share) if place * ranks + rank < count] for rank, share in enumerate(shares)
    ]
    assert own == [list(range(rank, count, ranks)) for rank in range(ranks)]
    assert {len(share) for share in shares} == {-(-count // ranks)}
    assert {row for share in shares for row in share} == set(range(count))
    lengths = [len(EpochSampler(range(count), num_replicas=ranks, rank=rank)) for rank in range(ranks)]
    assert lengths == [len(share) for share in shares]


@pytest.mark.parametrize(("count", "ranks"), [(12, 1), (12, 3), (13, 3), (14, 3)])
def test_in_training_ranks_are_even_and_see_each_image_once(count, ranks):
    settings = {"num_replicas": ranks, "shuffle": True, "drop_last": True}
    shares = [order_of(count, rank=rank, **settings) for rank in range(ranks)]
    assert {len(share) for share in shares} == {count // ranks}
    assert {len(EpochSampler(range(count), rank=rank, **settings)) for rank in range(ranks)} == {count // ranks}
    seen = [place for share in shares for place in share]
    assert len(set(seen)) == len(seen) == count - count % ranks


def test_the_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        sampler = EpochSampler(range(50), shuffle=True, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert sorted(order(0, 0)) == list(range(50))
    assert order(0, 3) == order(0, 3)
    assert order(0, 3) != order(0, 4)
    assert order(0, 3) != order(1, 3)
    assert order(0, 3) != order(1, 2)


def test_asking_again_within_an_epoch_gives_the_same_order():
    sampler = EpochSampler(range(50), shuffle=True)
    assert list(sampler) == list(sampler)


def test_a_skip_leaves_out_the_start_of_one_epoch_only():
    sampler = EpochSampler(range(20), num_replicas=2, rank=1, shuffle=True)
    sampler.set_epoch(1)
    whole = list(sampler)
    sampler.skip = 4
    sampler.set_epoch(1)
    assert list(sampler) == whole[4:]
    assert len(sampler) == 10
    sampler.set_epoch(2)
    assert len(list(sampler)) == 10


def test_lightning_takes_it_for_a_distributed_sampler():
    assert isinstance(EpochSampler(range(3)), DistributedSampler)
