"""Class paths that mean others: of modules that have moved since a config was written, and of Lightning's loggers."""

from typing import Any

# From what a class path began with to what it begins with now. Of entries that both fit, the first one holds.
MOVED = {
    "genzoo.callbacks.evaluation": "genzoo.callbacks.final_scores",
    "genzoo.data.base": "genzoo.data.images",
    "genzoo.losses.adversarial": "genzoo.losses.objectives",
    "genzoo.checkpoints.SafeCheckpointIO": "genzoo.training.checkpoint_io.SafeCheckpointIO",
    "genzoo.losses.likelihoods.Gaussian": "genzoo.losses.gaussian_likelihoods.Gaussian",
    "genzoo.losses.objectives.RelativisticPairing": "genzoo.losses.relativistic.RelativisticPairing",
    "genzoo.losses.likelihoods.LearnedGaussian": "genzoo.losses.gaussian_likelihoods.LearnedGaussian",
    "genzoo.metrics.embedded": "genzoo.metrics.extractors.embedded",
    "genzoo.metrics.extractors.FeatureExtractor": "genzoo.metrics.extractors.extractor.FeatureExtractor",
    "genzoo.models.adversarial": "genzoo.training.adversarial",
    "genzoo.models.averaging": "genzoo.training.averaging",
    "genzoo.models.base": "genzoo.training.model",
    "genzoo.models.inference": "genzoo.training.inference",
    "genzoo.models.variational": "genzoo.training.variational",
    "genzoo.optimizers": "genzoo.training.optimizers",
    "genzoo.networks.dcgan": "genzoo.networks.deep_convolutional",
    "genzoo.networks.densities.CodeDensity": "genzoo.sampling.densities.FittedDensity",
    "genzoo.networks.densities.Density": "genzoo.sampling.densities.FittedPrior",
    "genzoo.networks.densities": "genzoo.sampling.densities",
    "genzoo.networks.priors": "genzoo.sampling.priors",
}

# Lightning has loggers of the same names, beside which a name alone would not say which. Its CSVLogger deletes the file
# of a run that goes on.
IN_PLACE_OF_LIGHTNINGS = {
    "CSVLogger": "genzoo.loggers.CSVLogger",
    "lightning.pytorch.loggers.CSVLogger": "genzoo.loggers.CSVLogger",
    "WandbLogger": "genzoo.loggers.WandbLogger",
}


def renamed(plain: Any) -> Any:
    """Plain data in which every class path is the present one.

    Args:
        plain: Numbers, strings, lists and dicts, as a config or the hyperparameters of a checkpoint hold them.

    Returns:
        The same data; class paths that have not moved, and all other strings, stay as they are.

    Example:
        >>> from genzoo.moved import renamed
        >>> renamed({"prior": {"class_path": "genzoo.networks.priors.UniformPrior"}})
        {'prior': {'class_path': 'genzoo.sampling.priors.UniformPrior'}}
    """
    if isinstance(plain, dict):
        return {key: renamed(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [renamed(value) for value in plain]
    if isinstance(plain, str):
        for before, now in (MOVED | IN_PLACE_OF_LIGHTNINGS).items():
            if plain == before or plain.startswith(f"{before}."):
                return now + plain.removeprefix(before)
    return plain
