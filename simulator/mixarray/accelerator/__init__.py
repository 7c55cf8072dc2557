"""What computes it: frozen configuration models and presets; units are resolved here and nowhere else."""
