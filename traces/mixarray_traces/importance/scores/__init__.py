"""Importance scores: one file each, discovered by name. A file defines `NAME` and `score_windows(context)`."""
