"""Quantization-aware training: OFQ for one precision, SAQA for two branches."""

from mixarray_traces.quantization.provenance import Stage
from mixarray_traces.training.qat.loop import Progress, QatResult, train_qat
from mixarray_traces.training.qat.options import QatOptions, WindowCounts

__all__ = ["Progress", "QatOptions", "QatResult", "Stage", "WindowCounts", "train_qat"]
