"""Networks in plain torch, without Lightning: each architecture is a value that builds them."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
