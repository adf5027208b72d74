"""What trains models: everything of Lightning's that they need, and nothing that one of them is."""

import sys

from genzoo.discovery import public_classes

globals().update(public_classes(sys.modules[__name__]))
