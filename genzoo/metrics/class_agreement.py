"""How often a classifier sees in generated images the classes that were asked for."""

from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix


class ClassAgreement(MulticlassConfusionMatrix):
    """How often a named classifier sees in a generated image the class that was asked for (GAN-test).

    Its accuracy on real test images is the floor. Source: Shmelkov et al. 2018, section 3.

    Args:
        num_classes: Of the classifier.
        **kwargs: As for `torchmetrics.classification.MulticlassConfusionMatrix`.

    Example:
        >>> import torch
        >>> from genzoo.metrics import ClassAgreement
        >>> agreement = ClassAgreement(num_classes=2)
        >>> agreement.update(torch.tensor([[2.0, 0.0], [3.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1, 1]))
        >>> {name: value.tolist() for name, value in agreement.compute().items()}
        {'agreement': 66.66666412353516, 'agreement_per_class': [100.0, 50.0]}
    """

    higher_is_better = True
    confmat: Tensor

    def compute(self) -> dict[str, Tensor]:  # type: ignore[override]
        """``agreement``, a scalar, and ``agreement_per_class``, ``(num_classes,)``, in percent; NaN where none."""
        # Integers above 2**24 would be rounded in float32.
        counts = self.confmat.double()
        return {
            "agreement": (100.0 * counts.trace() / counts.sum()).float(),
            "agreement_per_class": (100.0 * counts.diagonal() / counts.sum(1)).float(),
        }
