import pytest
import torch
from sklearn.decomposition import PCA

from genzoo.data import FashionMNIST
from genzoo.data.fashion_mnist import DEBIAN_FOLDER
from genzoo.metrics import PrincipalComponents
from genzoo.spec import to_float


def test_principal_components_are_those_of_sklearn():
    generator = torch.Generator().manual_seed(0)
    training, test = torch.randn(2, 500, 1, 5, 5, generator=generator) @ torch.randn(5, 5, generator=generator)
    ours = PrincipalComponents.fit(training, 6).reconstruct(test)
    pca = PCA(6, svd_solver="full").fit(training.flatten(1).double().numpy())
    theirs = pca.inverse_transform(pca.transform(test.flatten(1).double().numpy()))
    torch.testing.assert_close(ours.flatten(1), torch.from_numpy(theirs).float(), atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match="number is 26, but images of 25 values"):
        PrincipalComponents.fit(training, 26)


@pytest.mark.slow
@pytest.mark.skipif(not DEBIAN_FOLDER.is_dir(), reason="needs all of Fashion-MNIST")
def test_principal_components_of_fashion_mnist_have_their_known_error(tmp_path):
    data = FashionMNIST(root=str(tmp_path))
    training, test = (to_float(torch.tensor(data.load(split)[0])) for split in ("train", "test"))
    for number, expected in ((32, 11.87), (64, 8.13)):
        components = PrincipalComponents.fit(training, number)
        error = ((components.reconstruct(test) - test) / 2).square().flatten(1).sum(1).mean()
        assert float(error) == pytest.approx(expected, abs=0.005)


def test_components_of_large_images_are_nearly_the_best(monkeypatch):
    """Against the exact ones, on images with few strong directions and many weak ones."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(40, 3 * 30 * 30, generator=generator) * torch.logspace(0, -2, 40)[:, None]
    images = (torch.randn(300, 40, generator=generator) @ directions).view(300, 3, 30, 30)
    state = torch.get_rng_state()
    found = PrincipalComponents.fit(images, number=8)
    assert torch.equal(state, torch.get_rng_state())
    monkeypatch.setattr("genzoo.metrics.principal_components.EXACT_UP_TO", 3000)
    exact = PrincipalComponents.fit(images, number=8)
    errors = [float((images - components.reconstruct(images)).square().sum()) for components in (found, exact)]
    assert errors[0] == pytest.approx(errors[1], rel=1e-3)
    assert found.components.shape == (8, 2700)
