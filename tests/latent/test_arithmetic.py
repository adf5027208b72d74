import pytest
import torch

from genzoo.latent.arithmetic import Term, combined, surrounded, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Sandal", [(1, "Sandal")]),
        ("Sandal - Sneaker + Ankle boot", [(1, "Sandal"), (-1, "Sneaker"), (1, "Ankle boot")]),
        # Signs within names are parts of them.
        ("T-shirt/top - #3,17", [(1, "T-shirt/top"), (-1, "#3,17")]),
        ("- bright  +  wide ", [(-1, "bright"), (1, "wide")]),
        ("+ bright", [(1, "bright")]),
    ],
)
def test_signs_stand_between_spaces(text, terms):
    assert terms_of(text) == [Term(*term) for term in terms]


@pytest.mark.parametrize("text", ["", "-", "a -", "a - + b", "+ - a"])
def test_a_sign_needs_its_concept(text):
    with pytest.raises(ValueError, match="lacks a concept"):
        terms_of(text)


def test_means_are_added_with_their_signs():
    codes = [torch.tensor([[1.0, 2.0], [3.0, 6.0]]), torch.tensor([[10.0, 10.0]]), torch.tensor([[0.0, 1.0]] * 3)]
    assert combined(terms_of("a - b + c"), codes).tolist() == [2.0 - 10.0 + 0.0, 4.0 - 10.0 + 1.0]


def test_three_samples_per_concept_keep_the_variance_of_the_prior():
    codes = torch.randn(3, 3, 50_000, generator=torch.Generator().manual_seed(0))
    assert float(combined(terms_of("a - b + c"), list(codes)).var()) == pytest.approx(1.0, abs=0.03)


def test_a_code_is_surrounded_by_uniform_noise():
    code = torch.arange(4000.0).view(2, 2000)
    around = surrounded(code, 0.25, seed=3)
    assert around.shape == (9, 2, 2000)
    assert torch.equal(around[4], code)
    moves = torch.cat([around[:4], around[5:]]) - code
    assert 0.249 < float(moves.max()) <= 0.2502
    assert -0.2502 <= float(moves.min()) < -0.249
    assert float(moves.mean()) == pytest.approx(0.0, abs=0.01)
    assert torch.equal(surrounded(code, 0.25, seed=3), around)
    assert not torch.equal(surrounded(code, 0.25, seed=4), around)
