"""Trained models: where they lie, how they are shown, and how a run becomes one of them."""
