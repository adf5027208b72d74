"""How well test images are reconstructed.

Fits models that encode images. All test images go through the model; both they and their reconstructions are then
brought to native size. The floors are what as many principal components of the training images as the model has
latent variables achieve: the best linear autoencoder.
"""

import math
from collections.abc import Iterator

from genzoo.data.splits import ArrayDataModule
from genzoo.evaluation.compared import UNSYNCHRONISED, Comparison, as_model_sees, batches_seen, in_native_size
from genzoo.evaluation.score import Score
from genzoo.evaluation.score_group import ScoreGroup, no_images, scores_of
from genzoo.metrics.principal_components import PrincipalComponents
from genzoo.metrics.reconstruction_quality import ReconstructionQuality
from genzoo.sampling.capabilities import Encodes
from genzoo.training.model import GenerativeModel, evaluating

IMAGES_AT_ONCE = 100


class ReconstructionGroup(ScoreGroup):
    """Squared error, PSNR and SSIM of reconstructions, beside principal components."""

    name = "reconstruction"

    def misfit(self, model: GenerativeModel, data: ArrayDataModule) -> str | None:
        """It needs images and an encoder."""
        encoderless = None if isinstance(model, Encodes) else f"{type(model).__name__} has no encoder"
        return no_images(model, data) or encoderless

    def scores(self, comparison: Comparison) -> Iterator[Score]:
        """``squared_error``, ``psnr`` and ``ssim``."""
        model, data = comparison.model, comparison.data
        assert isinstance(model, Encodes)
        quality, linear = ReconstructionQuality(**UNSYNCHRONISED), ReconstructionQuality(**UNSYNCHRONISED)
        # A model can reconstruct only what it is shown, so that its own view is the original, not the file's pixels.
        training = in_native_size(as_model_sees(data, "train"), data)
        # A code may have more numbers than an image, which has no more components than values.
        number = min(math.prod(model.latent_shape), training[0].numel())
        components = PrincipalComponents.fit(training, number)
        with evaluating(model):
            for x, y in batches_seen(data, "test", IMAGES_AT_ONCE):
                native = in_native_size(x, data)
                quality.update(in_native_size(model.reconstruct(x.to(model.device), y).cpu(), data), native)
                linear.update(components.reconstruct(native), native)
        protocol = comparison.protocol() | {"floor": f"{number} principal components"}
        floors = {name: float(value) for name, value in linear.compute().items()}
        yield from scores_of(quality.compute(), protocol, {"squared_error": False, "psnr": True, "ssim": True}, floors)
