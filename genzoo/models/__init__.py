"""The models, one file each. Importing the package imports them all."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
