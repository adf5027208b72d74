import pytest
import torch

from genzoo.latent.neighbours import nearest_neighbours


def test_neighbours_are_those_of_a_loop_over_all():
    generator = torch.Generator().manual_seed(0)
    items, searched = torch.randn(5, 4, generator=generator), torch.randn(33, 4, generator=generator)
    expected = [sorted((float((item - other).norm()), place) for place, other in enumerate(searched)) for item in items]
    found = nearest_neighbours(items, searched.split(10), 3)
    assert found.places.tolist() == [[place for _, place in row[:3]] for row in expected]
    for row, distances in zip(expected, found.distances, strict=True):
        assert distances.tolist() == pytest.approx([distance for distance, _ in row[:3]], rel=1e-6)


def test_copies_have_the_distance_zero_and_the_first_of_them_comes_first():
    searched = torch.tensor([[5.0, 5.0], [1.0, 2.0], [9.0, 9.0], [1.0, 2.0]])
    found = nearest_neighbours(searched[[3]], searched.split(1), 2)
    assert found.places.tolist() == [[1, 3]]
    assert found.distances.tolist() == [[0.0, 0.0]]


def test_parts_may_be_smaller_than_what_is_asked_for():
    searched = torch.arange(5.0)[:, None]
    found = nearest_neighbours(torch.tensor([[1.9]]), searched.split(2), 4)
    assert found.places.tolist() == [[2, 1, 3, 0]]
    with pytest.raises(ValueError, match="6 neighbours were asked for, but there are only 5 items"):
        nearest_neighbours(torch.tensor([[1.9]]), searched.split(2), 6)
