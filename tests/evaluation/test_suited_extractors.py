import pytest
from torch import nn

from genzoo.data.digits import StackedDigits
from genzoo.data.fashion_mnist import FashionMNISTMini
from genzoo.evaluation.suited_extractors import require_suited
from genzoo.metrics.extractors.embedded import embedded_extractor
from genzoo.metrics.extractors.extractor import FeatureExtractor


def test_an_extractor_for_other_images_is_refused():
    require_suited(FeatureExtractor(nn.Flatten(), "any"), StackedDigits())
    require_suited(embedded_extractor("digits"), StackedDigits(), channels=1)
    with pytest.raises(
        ValueError, match=r"digits looks at images of 1 x 8 x 8, but FashionMNISTMini shows it 1 x 28 x"
    ):
        require_suited(embedded_extractor("digits"), FashionMNISTMini())
    with pytest.raises(ValueError, match=r"digits looks at images of 1 x 8 x 8, but StackedDigits shows it 3 x 8 x 8"):
        require_suited(embedded_extractor("digits"), StackedDigits())
