"""Settings of a game that are fine by themselves and known to go badly together."""

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from lightning_utilities.core.rank_zero import rank_zero_warn
from torch import nn
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.spectral_norm import SpectralNorm

from genzoo.augmentations.affine_augment import HIGHEST
from genzoo.augmentations.augmentation import Augmentation
from genzoo.losses.constraints import Constraint
from genzoo.losses.objectives import AdversarialObjective
from genzoo.losses.penalties import Penalty
from genzoo.losses.regularisation import Regularisation
from genzoo.networks.batch_norm import BATCH_NORMS
from genzoo.networks.normalisation import NORMS
from genzoo.training.penalty_terms import PenaltyTerms

DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


@runtime_checkable
class Judged(Protocol):
    """A model with a discriminator and what is asked of it."""

    discriminator: nn.Module
    objective: AdversarialObjective


def warn_of_combinations(model: nn.Module) -> None:
    """Warns, once for each, of settings of a game that go badly together.

    Args:
        model: A game with a discriminator; of all others nothing is known.
    """
    if not isinstance(model, Judged):
        return
    penalties, augmentation = getattr(model, "penalties", None), getattr(model, "augmentation", None)
    given = penalties.given if isinstance(penalties, PenaltyTerms) else ()
    for reason in bad_combinations(model.discriminator, model.objective, given):
        rank_zero_warn(reason)
    if isinstance(augmentation, Augmentation) and augmentation.leaks:
        rank_zero_warn(
            f"{type(augmentation).__name__} changes so many of the images that those of the data cannot be told from "
            "changed ones, which are then generated too (Karras et al. 2020, section 2.2); give it a probability of at "
            f"most {HIGHEST:g}"
        )


def bad_combinations(
    discriminator: nn.Module, objective: AdversarialObjective, given: Sequence[Regularisation]
) -> Iterator[str]:
    """Tells which combinations have no good meaning, with the reason and what to do instead.

    Args:
        discriminator: Of the game.
        objective: Of the game.
        given: Penalties of the discriminator and constraints of its weights.
    """
    of_slope = [each for each in given if isinstance(each, Penalty) and each.limits_slope]
    by_weights = [each for each in given if isinstance(each, Constraint) and each.limits_slope]
    names = ", ".join(each.name for each in of_slope)
    if of_slope and any(isinstance(module, BATCH_NORMS) for module in discriminator.modules()):
        yield (
            f"{names} asks for the gradient of each item's logit, which batch norm in the discriminator makes a "
            "function of the whole batch (Gulrajani et al. 2017, section 4); choose networks without it there, such "
            "as DCGANPlayers with discriminator_norm none"
        )
    if of_slope and by_weights:
        yield (
            f"{names} and {type(by_weights[0]).__name__} both limit how steep the discriminator is, and bounds of its "
            "weights keep the penalty from its aim (Gulrajani et al. 2017, section 3); leave one of them out"
        )
    is_spectral = _is_spectrally_normalised(discriminator)
    is_normed = any(isinstance(module, NORMS) for module in discriminator.modules())
    if is_spectral and is_normed:
        yield (
            "spectral norm limits how steep each layer of the discriminator is, and a norm between them, which divides "
            "by a deviation that may be as small as it likes, undoes that (Miyato et al. 2018); choose networks "
            "without it there, such as DCGANPlayers with discriminator_norm none"
        )
    if is_spectral and by_weights:
        yield (
            f"{type(by_weights[0]).__name__} bounds weights that spectral norm then divides by their largest singular "
            "value, so that its bounds are not those of the weights that act; leave one of them out"
        )
    compared = [each for each in given if isinstance(each, Penalty) and each.compares_passes]
    if compared and any(isinstance(part, DROPOUTS) and part.p > 0.0 for part in discriminator.modules()):
        yield (
            f"{compared[0].name} compares logits of one pass with those of another, and dropout in the discriminator "
            "makes them differ whatever the images are; choose networks without it there, such as MLPPlayers with "
            "dropout 0"
        )
    if objective.needs_limited_slope and not (of_slope or by_weights or (is_spectral and not is_normed)):
        yield (
            f"nothing limits how steep the discriminator is, whose loss in {type(objective).__name__} then has no "
            "bound and says nothing of a distance (Arjovsky et al. 2017, section 3); add GradientPenalty or "
            "WeightClipping to the penalties, or spectral norm to the networks"
        )


def _is_spectrally_normalised(network: nn.Module) -> bool:
    """Whether some of its layers are, as a parametrisation of torch or by its earlier hooks."""
    return any(
        isinstance(module, _SpectralNorm)
        or any(isinstance(hook, SpectralNorm) for hook in module._forward_pre_hooks.values())
        for module in network.modules()
    )
