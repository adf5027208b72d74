"""AC-GAN: both losses against the equations of the paper, and what counts of items without a label."""

import math
from functools import partial

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, softplus

from genzoo.models.acgan import ACGAN
from genzoo.networks.deep_convolutional import DCGANPlayers
from genzoo.networks.embedded import Embedded
from genzoo.networks.mlp import MLPPlayers
from genzoo.networks.packed import Packed
from genzoo.noise import BatchNoise
from tests.conftest import RandomImages
from tests.models.wanted import assert_wants

SPEC = RandomImages().spec
ATTRIBUTES = {"shape": [1, 28, 28], "attribute_names": ["smiling", "hat", "young"]}
MLP = MLPPlayers((8,), (8,), dropout=0.0, batch_norm=False)
WEIGHTS = {"discriminator_class_weight": 0.5, "generator_class_weight": 2.0}
X = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
LABELS = torch.tensor([3, -1, 0, 9, -1, 3])
VECTORS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]).repeat(2, 1)


def made(spec=SPEC, networks=MLP, **settings):
    torch.manual_seed(0)
    return ACGAN(data_spec=spec, networks=networks, latent_dim=4, **settings)


def judged(model, x):
    features = model.discriminator.features(x)
    return model.discriminator.logits(features), model.classifier(features)


@pytest.mark.parametrize("networks", [MLP, DCGANPlayers(width=2, discriminator_norm="none")], ids=["mlp", "dcgan"])
@pytest.mark.parametrize("kind", ["classes", "attributes"])
def test_each_player_wants_what_the_paper_says(kind, networks):
    model = made(SPEC if kind == "classes" else ATTRIBUTES, networks, **WEIGHTS).eval()
    y = LABELS if kind == "classes" else VECTORS
    fake = model.generate(6, model.condition.encode(y), BatchNoise("cpu", 0))
    (real_logits, real_told), (fake_logits, fake_told) = judged(model, X), judged(model, fake)

    def class_loss(told):
        if kind == "classes":
            return cross_entropy(told, y, ignore_index=-1)
        return binary_cross_entropy_with_logits(told, y)

    source = softplus(-real_logits).mean() + softplus(fake_logits).mean()
    of_discriminator = source + 0.5 * (class_loss(real_told) + class_loss(fake_told))
    of_generator = softplus(-fake_logits).mean() + 2.0 * class_loss(fake_told)
    for player, expected in zip(model.players(), (of_discriminator, of_generator), strict=True):
        assert_wants(player, expected, X, y)


def test_without_any_label_the_game_is_that_of_the_source_alone():
    model, y = made().eval(), torch.full((6,), -1)
    noise = partial(BatchNoise, "cpu", 0)
    for loss, plain in (
        (model.discriminator_loss, super(ACGAN, model).discriminator_loss),
        (model.generator_loss, super(ACGAN, model).generator_loss),
    ):
        torch.testing.assert_close(loss(X, y, noise()), plain(X, y, noise()))


def test_the_discriminator_is_not_told_the_class():
    model = made().eval()
    conditions = [model.condition.encode(y) for y in (LABELS, LABELS.flip(0))]
    assert torch.equal(*(model.score(X, condition) for condition in conditions))
    z = torch.randn(6, 4)
    assert not torch.equal(*(model.sampler.generate(z, condition) for condition in conditions))


def test_accuracies_are_shares_of_the_items_with_a_label():
    model = made().eval()
    means = {name: values.mean(0) for name, values in model.statistics(X, LABELS, BatchNoise("cpu", 0)).items()}
    found = model.summary(means)
    fake = model.generate(6, model.condition.encode(LABELS), BatchNoise("cpu", 0))
    for name, items in {"real": X, "generated": fake}.items():
        right = (judged(model, items)[1].argmax(1) == LABELS)[LABELS >= 0].float().mean()
        torch.testing.assert_close(found[f"class_accuracy_{name}"], right)
    assert "labelled" not in found
    none = {name: values.mean(0) for name, values in model.statistics(X, 0 * LABELS - 1, BatchNoise("cpu", 0)).items()}
    assert math.isnan(model.summary(none)["class_accuracy_real"])
    attributes = made(ATTRIBUTES).eval()
    found = attributes.statistics(X, VECTORS, BatchNoise("cpu", 0))["class_accuracy_real"]
    right = (judged(attributes, X)[1].sigmoid() > 0.5) == VECTORS.bool()
    torch.testing.assert_close(found, right.float().mean(1))


def test_both_parts_move_and_what_is_logged_is_announced(trainer):
    data = RandomImages(number=64, batch_size=16, labelled=20)
    model = made(networks=Embedded(MLP, dim=3))
    before = {name: value.clone() for name, value in model.named_parameters()}
    runner = trainer(max_epochs=2, log_every_n_steps=1)
    runner.fit(model, datamodule=data)
    assert [name for name, value in model.named_parameters() if torch.equal(value, before[name])] == []
    assert {name for name in runner.callback_metrics if "accuracy" in name} <= model.reports()
    assert {"train/class_accuracy_real", "train/class_accuracy_generated"} <= model.step_log.latest.keys()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="ACGAN tells classes or attributes, but these data have condition images"):
        made({"shape": [1, 28, 28], "condition_image": [1, 28, 28]})
    with pytest.raises(ValueError, match="a ACGAN needs data with class labels"):
        made({"shape": [1, 28, 28]})
    with pytest.raises(ValueError, match="ACGAN reads features of each item by itself"):
        made(networks=Packed(MLP))
    with pytest.raises(ValueError, match="generator_class_weight must be finite and not negative, got -1"):
        made(generator_class_weight=-1.0)
