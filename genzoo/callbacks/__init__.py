"""What watches a training run: pictures, files, progress."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
