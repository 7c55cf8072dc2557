"""Training of the shipped detector."""

from mixarray_traces.training.options import Phase, TrainOptions, default_phases
from mixarray_traces.training.train import Progress, TrainResult, train

__all__ = ["Phase", "Progress", "TrainOptions", "TrainResult", "default_phases", "train"]
