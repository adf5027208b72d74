import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from genzoo.models.gan import GAN
from genzoo.networks.batch_norm import require_batches_for_batch_norm
from genzoo.networks.mlp import MLPPlayers
from genzoo.networks.packed import Packed
from genzoo.spec import image_spec


def test_only_batch_norm_needs_more_than_one():
    normed, plain = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), nn.Sequential(nn.LayerNorm(2))
    require_batches_for_batch_norm(normed, "network", 2)
    require_batches_for_batch_norm(plain, "network", 1)
    with pytest.raises(ValueError, match="a network with batch norm would be trained on a batch of 1 image"):
        require_batches_for_batch_norm(normed, "network", 1)


@pytest.mark.parametrize(
    ("number", "batch_size", "drop_last", "limit", "batch_norm", "refused"),
    [
        (9, 4, False, 1.0, True, True),
        (9, 4, True, 1.0, True, False),
        (9, 4, False, 2, True, False),
        (8, 4, False, 1.0, True, False),
        (9, 4, False, 1.0, False, False),
        (3, 1, True, 1.0, True, True),
    ],
)
def test_loaders_of_ones_own_are_refused_before_training(
    number, batch_size, drop_last, limit, batch_norm, refused, trainer
):
    images = TensorDataset(torch.rand(number, 1, 8, 8), torch.zeros(number, dtype=torch.int64))
    networks = MLPPlayers((8,), (8,), batch_norm=batch_norm)
    model = GAN(data_spec=image_spec(1, 8), latent_dim=2, networks=networks)
    runner = trainer(limit_train_batches=limit)
    loader = DataLoader(images, batch_size=batch_size, drop_last=drop_last)
    if refused:
        with pytest.raises(ValueError, match="a GAN with batch norm would be trained on a batch of 1 image"):
            runner.fit(model, loader)
        assert runner.global_step == 0
    else:
        runner.fit(model, loader)
        assert runner.global_step > 0


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_a_batch_of_one_pack_is_too_small_for_batch_norm_in_a_discriminator_of_packs(norm):
    judge = Packed(MLPPlayers((8,), (8,), discriminator_norm=norm), 4).discriminator((1, 8, 8))
    require_batches_for_batch_norm(judge, "GAN", 8)
    if norm == "none":
        require_batches_for_batch_norm(judge, "GAN", 4)
        return
    match = "a GAN with batch norm would be trained on a batch of 1 pack of 4, .*set batch_size to 8 or more"
    with pytest.raises(ValueError, match=match):
        require_batches_for_batch_norm(judge, "GAN", 4)
