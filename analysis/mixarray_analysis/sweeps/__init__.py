"""Sweeps from a specification: many points of models, machines and ratios, one row each in a Parquet data set."""
