"""Dashboards of Weights & Biases as code: a workspace for the runs of a project, and a report that compares them."""
