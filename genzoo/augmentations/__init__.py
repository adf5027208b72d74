"""What the discriminator is shown: items, real and generated, changed at random."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
