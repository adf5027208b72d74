"""Scores of a trained model on a data set: one file per group of them."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
