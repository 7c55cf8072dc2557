"""What it means: speedups, sweeps, plots, the report and the command line."""
