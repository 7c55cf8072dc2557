"""Users' own checkpoints: other programs' names and layouts to our models."""
