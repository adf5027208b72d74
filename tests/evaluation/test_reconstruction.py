import pytest
import torch

from genzoo.models.autoencoder import AutoEncoder
from genzoo.spec import to_float
from tests.evaluation.scoring import NETWORKS, scores


def test_reconstruction_stands_beside_principal_components(clothes):
    class Linear(AutoEncoder):
        """Principal components, written as an autoencoder."""

        def fit(self, data):
            from genzoo.metrics.principal_components import PrincipalComponents

            images = to_float(torch.from_numpy(data.array("train").images))
            self.best = PrincipalComponents.fit(images, self.latent_dim)
            return self

        def reconstruct(self, x, y=None):
            return self.best.reconstruct(x)

    model = Linear(data_spec=clothes.spec, networks=NETWORKS, latent_dim=16).fit(clothes)
    found = scores(model, clothes)
    assert set(found) == {"squared_error", "psnr", "ssim"}
    assert all(score.value == pytest.approx(score.floor, rel=1e-5) for score in found.values())
    assert 14 < found["squared_error"].value < 24
    assert found["squared_error"].protocol["floor"] == "16 principal components"
