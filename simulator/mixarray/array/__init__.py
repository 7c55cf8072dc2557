"""How one array does it, cycle by cycle: folds to events, the judge of the job rule (design 5, level b)."""
