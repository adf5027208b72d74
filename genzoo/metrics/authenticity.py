"""Whether a model generates anew or copies what it was trained on."""

from torch import Tensor

from genzoo.hyperparameters import whole_number
from genzoo.metrics.distances import nearest
from genzoo.metrics.two_samples import TwoSampleMetric


class Authenticity(TwoSampleMetric):
    r"""AuthPct: the share of generated samples that are no copies of a training sample, in percent.

    .. math:: \frac{100}{N} \sum_j 1[\|f_j - r_{i(j)}\| > \min_{i' \ne i(j)} \|r_{i(j)} - r_{i'}\|], \qquad
        i(j) = \arg\min_i \|f_j - r_i\|

    A sample is authentic if its nearest training sample has another training sample still nearer. The real
    features must be those of the training data. Copies give 0; what new data of the same kind give is the floor
    to compare with. Source: Alaa et al. 2022, section 4.3.

    Args:
        **kwargs: As for `TwoSampleMetric`; ``real`` are features of the training data.

    Raises:
        TooFewSamplesError: In `compute`, if there are fewer than two training or generated samples.

    Example:
        >>> import torch
        >>> from genzoo.metrics import Authenticity
        >>> metric = Authenticity(real=torch.tensor([[0.0], [1.0], [9.0]]))
        >>> metric.update(torch.tensor([[0.1], [4.0], [20.0], [8.9]]))
        >>> metric.compute()
        tensor(50.)
    """

    higher_is_better = True

    def compute(self) -> Tensor:
        """In [0, 100], a scalar, float32."""
        training, fake = self._sets()
        to_training, places = nearest(fake, training)
        # Without self-matches, whose distance of 0 nothing could be above.
        between_training, _ = nearest(training, training, same=True)
        is_authentic = to_training[:, 0] > between_training[places[:, 0], 0]
        return 100.0 * is_authentic.float().mean()


def nearest_training_images(fake: Tensor, training: Tensor, number: int = 5) -> tuple[Tensor, Tensor]:
    """The nearest training images of generated ones, to look at.

    Args:
        fake: Features of generated images, or their pixels, ``(N, D)``.
        training: The same of training images, ``(M, D)``.
        number: k, how many neighbours.

    Returns:
        Their places in the training data, ``(N, k)``, int64, nearest first, and their distances, ``(N, k)``, float32.

    Raises:
        ValueError: If there are fewer than k training images.

    Example:
        >>> import torch
        >>> from genzoo.metrics.authenticity import nearest_training_images
        >>> nearest_training_images(torch.tensor([[0.9]]), torch.tensor([[5.0], [0.0], [1.0]]), number=2)[0]
        tensor([[2, 1]])
    """
    number = whole_number("number", number, 1)
    if number > len(training):
        raise ValueError(f"number is {number}, but there are {len(training)} training images; choose from 1 to that")
    values, places = nearest(fake, training, number)
    return places, values.float()
