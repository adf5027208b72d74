import pytest
import torch

from genzoo.latent.concepts import chosen, pick, sure_of


def test_the_first_that_show_a_concept_are_picked():
    concept = pick("bright", torch.tensor([False, True, False, True, True, True]), 3, "by brightness")
    assert concept.places.tolist() == [1, 3, 4]
    assert (concept.showing, concept.looked_at) == (4, 6)


def test_too_few_are_refused_with_their_number():
    shows = torch.zeros(500, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"of 500 samples that were looked at 0 show 'Bag' .*but 3 are wanted"):
        pick("Bag", shows, 3, "by eye")
    shows[7] = True
    with pytest.raises(ValueError, match="1 shows 'Bag'"):
        pick("Bag", shows, 3, "by eye")


def test_a_classifier_is_sure_from_a_probability_on():
    probabilities = torch.tensor([[0.95, 0.05], [0.85, 0.15], [0.05, 0.95]])
    assert sure_of(probabilities.log(), 0).tolist() == [True, False, False]
    assert sure_of(probabilities.log(), 0, 0.8).tolist() == [True, True, False]


def test_samples_are_chosen_by_their_places():
    assert chosen("#3,17, 25", 30).places.tolist() == [3, 17, 25]
    with pytest.raises(ValueError, match="asks for sample 25, but only the first 20"):
        chosen("#3,25", 20)
    for name in ("#", "#3,", "#a", "#-1"):
        with pytest.raises(ValueError, match="should be places of samples"):
            chosen(name, 20)
