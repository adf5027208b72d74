"""Where codes lie: principal components beside NumPy's, and dots where they belong."""

import numpy as np
import pytest
import torch

from genzoo.callbacks.picture_kinds.latent import LatentPicture, colours_of, in_plane
from genzoo.plane import COLOURS
from tests.callbacks.picture_kinds.scenes import small_scene


def codes(number=200, dimensions=6):
    spread = torch.tensor([0.3, 4.0, 1.0, 0.2, 2.0, 0.1])[:dimensions]
    return torch.randn(number, dimensions, generator=torch.Generator().manual_seed(0)) * spread + 5.0


def test_many_latent_variables_are_shown_by_their_principal_components():
    found = in_plane(codes())
    centred = codes().double().numpy()
    centred -= centred.mean(0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    for place in range(2):
        expected = centred @ directions[place]
        assert np.abs(found.places[:, place].numpy()) == pytest.approx(np.abs(expected), abs=1e-4)
    shares = values**2 / (values**2).sum()
    assert found.axes == f"2 of 6 principal components, {shares[0]:.0%} and {shares[1]:.0%} of the variance"


def test_the_picture_does_not_turn_over_while_a_model_learns():
    before = in_plane(codes()).places
    for moved in range(5):
        noise = torch.randn(200, 6, generator=torch.Generator().manual_seed(moved + 1))
        now = in_plane(codes() + 0.1 * noise).places
        assert ((before * now).sum(0) > 0.0).all()


@pytest.mark.parametrize("dimensions", [1, 2])
def test_two_latent_variables_are_shown_as_they_are(dimensions):
    assert torch.equal(in_plane(codes(dimensions=dimensions)).places, codes(dimensions=dimensions))


def test_codes_that_all_are_one_are_no_error():
    assert torch.equal(in_plane(torch.ones(5, 4)).places, torch.zeros(5, 2))


def test_every_code_is_a_dot_in_the_colour_of_its_class():
    scene = small_scene(latent_dim=2)
    picture = LatentPicture().draw(scene)
    x, labels = scene.seen.many
    found = scene.model.eval().encode(x).detach()
    limit = 1.1 * float(found.abs().max(1).values.quantile(0.995))
    rows = picture.shape[0] - 480 + (0.5 - found[:, 1] / (2 * limit)) * 480
    columns = (0.5 + found[:, 0] / (2 * limit)) * 480
    seen = [tuple(picture[int(r), int(c)]) for r, c in zip(rows, columns, strict=True) if 0 <= r < 499 and 0 <= c < 480]
    expected = [COLOURS[label] for label in labels]
    # Later ones may cover earlier ones.
    assert sum(colour in expected for colour in seen) == len(seen) >= len(labels) - 1
    assert np.mean([a == b for a, b in zip(seen, expected, strict=False)]) > 0.3
    assert picture.shape[1] > 480, "the names of the classes stand beside it"


def test_more_than_ten_classes_have_colours_of_their_own():
    assert colours_of(10) == list(COLOURS)
    assert len(set(colours_of(40))) == 40
