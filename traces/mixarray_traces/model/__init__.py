"""The model: Swin backbone, detector, weights."""
