"""The examples in docstrings run, and every metric has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest
from torchmetrics import Metric

import genzoo.metrics

MODULES = [found.name for found in pkgutil.walk_packages(genzoo.metrics.__path__, "genzoo.metrics.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_metric_has_an_example():
    metrics = [each for each in vars(genzoo.metrics).values() if isinstance(each, type) and issubclass(each, Metric)]
    concrete = [each for each in metrics if not inspect.isabstract(each)]
    lacking = [each.__name__ for each in concrete if "Example:" not in (each.__doc__ or "")]
    assert len(concrete) > 10
    # The mean of anything, and training a classifier.
    assert set(lacking) <= {"ImageMean", "ClassifierAccuracy"}
