import pytest
import torch

from genzoo.metrics import ClassScore, TooFewSamplesError


@pytest.mark.parametrize("batch_size", [1, 32, 256])
def test_class_score_is_the_formula_whatever_the_batch(batch_size):
    logits = torch.randn(300, 10) * 3
    metric = ClassScore(10)
    for batch in logits.split(batch_size):
        metric.update(batch)
    p = logits.double().softmax(1)
    expected = (p * (p.log() - p.mean(0).log())).sum(1).mean().exp()
    assert float(metric.compute()) == pytest.approx(float(expected), rel=1e-5)


def test_class_score_lies_between_one_and_the_number_of_classes():
    sure = 1000 * torch.nn.functional.one_hot(torch.arange(10)).float()
    for logits, expected in ((sure, 10), (sure[:1].repeat(5, 1), 1), (torch.zeros(5, 10), 1)):
        metric = ClassScore(10)
        metric.update(logits)
        assert float(metric.compute()) == pytest.approx(expected, rel=1e-6)


def test_class_score_is_that_of_torchmetrics():
    from torchmetrics.image.inception import InceptionScore

    logits = torch.randn(200, 10) * 2
    theirs = InceptionScore(feature=torch.nn.Flatten(), splits=1)
    theirs.update(logits)
    ours = ClassScore(10)
    ours.update(logits)
    assert float(ours.compute()) == pytest.approx(float(theirs.compute()[0]), rel=1e-5)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_nothing_has_no_score():
    with pytest.raises(TooFewSamplesError, match="has 0 samples, but needs at least"):
        ClassScore(3).compute()
