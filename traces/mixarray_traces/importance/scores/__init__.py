"""Importance scores: one file each, discovered by name. A file defines `TOKEN_MAP` and `score_windows(context)`."""
