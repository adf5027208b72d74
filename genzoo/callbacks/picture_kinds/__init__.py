"""The kinds of pictures that `Pictures` draws, one file each: what a picture needs, and how it is drawn."""
