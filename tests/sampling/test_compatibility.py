import numpy as np
import pytest
import torch

from genzoo.sampling.compatibility import require_floats, require_same_data
from genzoo.spec import DataSpec, image_spec


def test_floats_of_another_type_or_shape_are_refused():
    require_floats(torch.zeros(5, 2, 3, dtype=torch.float16), (2, 3), "it", "do so")
    for wrong, named in (
        (torch.zeros(5, 3, 2), r"float32 of shape \(5, 3, 2\); do so"),
        (torch.zeros(5, 2, 3, dtype=torch.uint8), r"uint8 of shape \(5, 2, 3\); do so"),
        (np.zeros((5, 2, 3)), r"float64 of shape \(5, 2, 3\); make a tensor of this NumPy array .*, and do so"),
        ("image.png", "'image.png'; do so"),
    ):
        with pytest.raises(ValueError, match=rf"it takes floats of shape \(N, 2, 3\), got {named}"):
            require_floats(wrong, (2, 3), "it", "do so")


def test_data_of_another_kind_are_refused_only_where_the_model_depends_on_it():
    stored = image_spec(1, 32, class_names=("a", "b"))
    require_same_data(stored, image_spec(1, 32, 28, ("c", "d")), conditional=True)
    require_same_data(stored, image_spec(1, 32), conditional=False)
    for given, there in (
        (image_spec(1, 32), "no labels"),
        (image_spec(1, 32, class_names=("a",)), "1 class"),
        (DataSpec(**stored, attribute_names=["hat", "bow"]), "vectors of 2 numbers"),
        (DataSpec(**stored, condition_image=[1, 32, 32]), "condition images of 1 x 32 x 32"),
        (DataSpec(**stored, tokens=[7, 20]), "sequences of 7 tokens out of 20"),
    ):
        with pytest.raises(ValueError, match=f"data with 2 classes, on which it depends, but these have {there}; "):
            require_same_data(stored, given, conditional=True)
    with pytest.raises(ValueError, match=r"data of shape 1 x 32 x 32, but these have 2;"):
        require_same_data(stored, DataSpec(shape=[2]), conditional=False)
