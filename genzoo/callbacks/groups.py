"""Which groups of scores fit a model and its data, and why the others do not."""

from typing import Literal

import torch

from genzoo.data.digits import StackedDigits
from genzoo.data.points import GaussianMixture2D
from genzoo.data.splits import ArrayDataModule
from genzoo.metrics.classification import PooledActivations
from genzoo.models.adversarial import AdversarialModel
from genzoo.models.base import GenerativeModel, evaluating
from genzoo.models.inference import InferenceModel
from genzoo.models.variational import VariationalModel
from genzoo.spec import is_image

Group = Literal["samples", "likelihood", "reconstruction", "classes", "modes", "representation", "parzen"]

UNASKED: tuple[Group, ...] = ("samples", "likelihood", "reconstruction", "classes", "modes")


def misfit(group: Group, model: GenerativeModel, data: ArrayDataModule) -> str | None:
    """Why a group of scores does not fit a model and its data; None if it does. Nothing need be loaded yet.

    Args:
        group: Its name.
        model: What is to be scored.
        data: What it is to be compared with.
    """
    name, source = type(model).__name__, type(data).__name__
    if group not in ("modes", "likelihood") and not is_image(model.data_shape):
        return f"{source} holds no images"
    if group in ("samples", "modes", "parzen") and not model.can_sample:
        return f"{name} has no prior to draw samples from"
    if group in ("classes", "representation") and not len(data.class_names):
        return f"{source} has no classes"
    if group == "likelihood" and not isinstance(model, VariationalModel):
        return f"{name} has no likelihood"
    if group == "reconstruction" and not isinstance(model, InferenceModel):
        return f"{name} has no encoder"
    if group == "classes" and not model.condition_dim:
        return f"{name} is unconditional"
    if group == "modes" and not isinstance(data, GaussianMixture2D | StackedDigits):
        return f"{source} has no modes that are known"
    if group == "parzen" and not (data.has_validation_split or data.validation_fraction):
        return f"{source} holds out no images for validation"
    return _no_features(model) if group == "representation" else None


def _no_features(model: GenerativeModel) -> str | None:
    """Why a model has no features to train a linear classifier on; None if it has."""
    name = type(model).__name__
    if isinstance(model, InferenceModel):
        return None
    if not isinstance(model, AdversarialModel) or model.condition_dim:
        return f"{name} has neither an encoder nor a discriminator that looks at images alone"
    try:
        with evaluating(model):
            PooledActivations(model.discriminator)(torch.zeros(1, *model.data_shape, device=model.device))
    except ValueError:
        return f"the discriminator of this {name} has no maps of activations, as convolutional ones have"
    return None
