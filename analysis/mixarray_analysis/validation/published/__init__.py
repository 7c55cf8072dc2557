"""Published numbers that mixarray is held against: `data/` has them with source and status, one file per subject."""
