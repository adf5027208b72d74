"""Scores that torchmetrics lacks, in its form: one file per score."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
