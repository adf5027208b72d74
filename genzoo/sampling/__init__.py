"""What a trained model is, in plain torch: samplers, their conditions, priors and densities."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
