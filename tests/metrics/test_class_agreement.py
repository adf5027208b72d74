import pytest
import torch
from torch import nn

from genzoo.metrics import (
    ClassAgreement,
)


def test_agreement_is_counted_by_the_class_that_was_asked_for():
    metric = ClassAgreement(num_classes=3)
    logits = nn.functional.one_hot(torch.tensor([0, 0, 1, 2, 2]), 3).float()
    for part in zip(logits.split(2), torch.tensor([0, 0, 0, 2, 1]).split(2), strict=True):
        metric.update(*part)
    found = metric.compute()
    assert float(found["agreement"]) == pytest.approx(60)
    assert found["agreement_per_class"].tolist() == pytest.approx([200 / 3, 0, 100])
