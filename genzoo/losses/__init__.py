"""Adversarial objectives, penalties, likelihoods and divergences: values and pure functions that know no networks."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
