"""The data modules, one file per family of sources. Importing the package imports them all."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
