"""Feature extractors: the networks in whose features samples are compared with data."""
