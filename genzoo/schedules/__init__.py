"""Settings that change while a model is trained, as data."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
