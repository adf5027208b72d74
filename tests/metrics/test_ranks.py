"""Two devices give the scores of one."""

import torch
import torch.distributed
import torch.multiprocessing

from genzoo.metrics import (
    Authenticity,
    ClassAgreement,
    ClassifierAccuracy,
    ClassScore,
    ExtrapolatedFrechetDistance,
    FrechetDistance,
    KernelDistance,
    LinearAccuracy,
    MixtureCoverage,
    NearestNeighbourAccuracy,
    NegativeLogLikelihood,
    PairwiseDiversity,
    ParzenWindow,
    PrecisionRecall,
    Recipe,
    ReconstructionQuality,
    Sharpness,
)

NUMBER = 101


def scores(rank, ranks):
    """All scores, with every ``ranks``-th item on this device."""
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, NUMBER, 4, generator=generator).unbind()
    images = torch.randint(0, 256, (NUMBER, 1, 12, 12), generator=generator, dtype=torch.uint8)
    labels = torch.arange(NUMBER) % 3
    grey = images.float() / 127.5 - 1
    own = slice(rank, None, ranks)
    two_samples = [
        FrechetDistance(4),
        ExtrapolatedFrechetDistance(),
        KernelDistance(),
        KernelDistance(block_size=20),
        PrecisionRecall(),
        Authenticity(),
    ]
    for metric in two_samples:
        metric.update(real[own], real=True)
        metric.update(fake[own])
    known = FrechetDistance(4, real=real)
    known.update(fake[own])
    on_features = [ClassScore(4), PairwiseDiversity(), MixtureCoverage(real[:3], 0.5), ParzenWindow(real, real)]
    for metric in on_features:
        metric.update(fake[own])
    learning = [
        NearestNeighbourAccuracy(),
        ClassifierAccuracy(3, Recipe(epochs=1, batch_size=16)),
        LinearAccuracy(),
    ]
    for metric in learning:
        items = real if isinstance(metric, LinearAccuracy) else images
        metric.update(items[:60][own], labels[:60][own])
        metric.update(items[60:][own], labels[60:][own], test=True)
    sharpness, likelihood, quality, agreement = (
        Sharpness(),
        NegativeLogLikelihood(144),
        ReconstructionQuality(),
        ClassAgreement(num_classes=4),
    )
    sharpness.update(images[own])
    likelihood.update(real[own, 0])
    quality.update(0.9 * grey[own], grey[own])
    agreement.update(fake[own], labels[own])
    everything = [*two_samples, known, *on_features, *learning, sharpness, likelihood, quality, agreement]
    return [metric.compute() for metric in everything]


def run(rank, folder):
    torch.set_num_threads(1)
    store = f"file://{folder}/store"
    torch.distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    torch.save(scores(rank, 2), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_ranks_agree_with_one(tmp_path):
    # Forked, they need not import everything again.
    torch.multiprocessing.start_processes(run, args=(str(tmp_path),), nprocs=2, start_method="fork")
    expected = scores(0, 1)
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4, equal_nan=True)
