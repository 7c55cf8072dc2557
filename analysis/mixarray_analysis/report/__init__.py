"""The report: one HTML page of runs and sweeps, which holds its data and everything that shows it."""
