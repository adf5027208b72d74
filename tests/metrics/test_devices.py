"""A metric that is moved takes all it holds along, and takes in what comes from elsewhere."""

import inspect

import pytest
import torch
from torch import Tensor
from torchmetrics import Metric

import genzoo.metrics
from genzoo.metrics import (
    Authenticity,
    ClassAgreement,
    ClassifierAccuracy,
    ClassScore,
    ExtrapolatedFrechetDistance,
    FeatureExtractor,
    FrechetDistance,
    KernelDistance,
    LinearAccuracy,
    MixtureCoverage,
    NearestNeighbourAccuracy,
    NegativeLogLikelihood,
    PairwiseDiversity,
    ParzenWindow,
    PrecisionRecall,
    ReconstructionQuality,
    Sharpness,
    StackedModes,
)
from genzoo.metrics.means import ImageMean

FEATURES = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
BYTES = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
LABELS = torch.tensor([0, 1])
CLASSIFIER = FeatureExtractor(torch.nn.Flatten(), "pixels", 1, 8, head=torch.nn.Linear(64, 3))

# How each metric is made, with the real data that it can hold, and what it is updated with.
METRICS = {
    Authenticity: (lambda: Authenticity(real=FEATURES), (FEATURES,)),
    ClassAgreement: (lambda: ClassAgreement(num_classes=3), None),
    ClassScore: (lambda: ClassScore(3), (FEATURES,)),
    ClassifierAccuracy: (lambda: ClassifierAccuracy(2), (BYTES, LABELS)),
    ExtrapolatedFrechetDistance: (lambda: ExtrapolatedFrechetDistance(real=FEATURES), (FEATURES,)),
    FrechetDistance: (lambda: FrechetDistance(3, real=FEATURES), (FEATURES,)),
    ImageMean: (lambda: ImageMean((3,), torch.device("cpu")), (FEATURES,)),
    KernelDistance: (lambda: KernelDistance(real=FEATURES), (FEATURES,)),
    LinearAccuracy: (LinearAccuracy, (FEATURES[:2], LABELS)),
    MixtureCoverage: (lambda: MixtureCoverage(torch.zeros(2, 3), 0.1), None),
    NearestNeighbourAccuracy: (NearestNeighbourAccuracy, (BYTES, LABELS)),
    NegativeLogLikelihood: (lambda: NegativeLogLikelihood(64), (FEATURES[0],)),
    PairwiseDiversity: (PairwiseDiversity, (FEATURES,)),
    ParzenWindow: (lambda: ParzenWindow(FEATURES, FEATURES), None),
    PrecisionRecall: (lambda: PrecisionRecall(real=FEATURES), (FEATURES,)),
    ReconstructionQuality: (ReconstructionQuality, None),
    Sharpness: (Sharpness, (BYTES,)),
    StackedModes: (lambda: StackedModes(CLASSIFIER), (BYTES,)),
}


def tensors(value):
    """All tensors in an attribute, however deep."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = [*value.values()]
    return [found for each in value for found in tensors(each)] if isinstance(value, list | tuple) else []


def test_every_metric_is_looked_at():
    found = {each for each in vars(genzoo.metrics).values() if isinstance(each, type) and issubclass(each, Metric)}
    assert {each for each in found if not inspect.isabstract(each)} <= METRICS.keys()


@pytest.mark.parametrize("kind", METRICS, ids=lambda kind: kind.__name__)
def test_everything_moves_with_a_metric(kind):
    make, update = METRICS[kind]
    metric = make().to("meta")
    held = tensors(vars(metric))
    assert held or kind in (PairwiseDiversity, LinearAccuracy, NearestNeighbourAccuracy, ClassifierAccuracy)
    assert {tensor.device.type for tensor in held} <= {"meta"}
    if update is not None:
        # What cannot be computed without numbers is not asked of the metric.
        metric.update(*update)
        assert {tensor.device.type for tensor in tensors(metric.metric_state)} == {"meta"}


@pytest.mark.parametrize("kind", [Authenticity, FrechetDistance, KernelDistance, MixtureCoverage, ParzenWindow])
def test_known_data_are_no_part_of_a_checkpoint(kind):
    metric = METRICS[kind][0]()
    metric.persistent(True)
    assert not any(name.startswith("_") for name in metric.state_dict())


def test_known_data_survive_a_reset_and_a_copy():
    metric = PrecisionRecall(real=FEATURES)
    values = []
    for each in (metric, metric.clone(), metric):
        each.reset()
        each.update(FEATURES + 0.1)
        values.append({name: float(value) for name, value in each.compute().items()})
    assert values[0] == values[1] == values[2]
