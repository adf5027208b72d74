"""Small models, loaded data and their scores by name, for the tests of this folder."""

import torch

from genzoo.evaluation.compared import Comparison
from genzoo.evaluation.groups import all_scores, require_fit
from genzoo.models.cgan import ConditionalGAN
from genzoo.networks.mlp import MLPEncoderDecoder, MLPPlayers
from genzoo.spec import to_float

PLAYERS = MLPPlayers((8,), (8,))
NETWORKS = MLPEncoderDecoder((8,))


def loaded(data):
    """A data module with all its parts."""
    for stage in ("fit", "test"):
        data.setup(stage)
    return data


def scores(model, data, groups=None, **settings):
    """Scores by name; ``settings`` are those of a `Comparison`."""
    comparison = Comparison(model, data, **settings)
    require_fit(comparison, groups)
    return {score.name: score for score in all_scores(comparison, groups)}


class Memory(ConditionalGAN):
    """Draws training images of the class that is asked for."""

    def remember(self, data):
        array = data.array("train")
        self.images, self.labels = to_float(torch.from_numpy(array.images)), torch.from_numpy(array.labels)
        return self

    def sample(self, number, y=None, seed=None, weights=None):
        (classes,) = self.condition.shape
        y = self.condition.given(y, number)
        places = [torch.nonzero(self.labels == label).flatten() for label in range(classes)]
        counts = [0] * classes
        chosen = []
        for label in y.tolist():
            chosen.append(places[label][counts[label] % len(places[label])])
            counts[label] += 1
        return self.images[torch.stack(chosen)]
