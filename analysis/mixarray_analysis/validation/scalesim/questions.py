"""Random questions to SCALE-Sim: arrays of many shapes in all three dataflows, small layers in both forms."""

from __future__ import annotations

import random

from mixarray.accelerator.scalesim_config import DATAFLOWS
from mixarray.trace.scalesim_topology import Form
from mixarray_analysis.validation.scalesim.peer import Question

LARGEST_SIDE, LARGEST_SIZE, LARGEST_MAP = 12, 24, 8
SIDES = range(1, LARGEST_SIDE + 1)
HEADERS = {
    Form.GEMM: "Layer, M, N, K,",
    Form.CONVOLUTION: "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, "
    "Channels, Num Filter, Strides,",
}
CONFIG = """[general]
run_name = mixarray

[architecture_presets]
ArrayHeight: {rows}
ArrayWidth: {columns}
IfmapSramSzkB: 8192
FilterSramSzkB: 8192
OfmapSramSzkB: 8192
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Bandwidth: 16
Dataflow: {dataflow}
MemoryBanks: 1
ReadRequestBuffer: 32
WriteRequestBuffer: 32

[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 16
IfmapSRAMBankNum: 1
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 16
FilterSRAMBankNum: 1
FilterSRAMBankPort: 2

[sparsity]
SparsitySupport: false

[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
"""


def config_text(rows: int, columns: int, dataflow: str) -> str:
    """A configuration with buffers so large that nothing stalls; `dataflow` is ws, os or is."""
    return CONFIG.format(rows=rows, columns=columns, dataflow=dataflow)


def topology_text(form: Form, rows: list[tuple[int, ...]]) -> str:
    """A topology of the form, one layer per tuple of sizes, as SCALE-Sim needs it: with commas at the ends."""
    lines = [", ".join(map(str, (f"layer{number}", *sizes))) + "," for number, sizes in enumerate(rows)]
    return "\n".join((HEADERS[form], *lines)) + "\n"


def random_question(draw: random.Random, layers: int) -> Question:
    """That many random layers on one random array; at most some thousands of cycles each."""
    form = Form.GEMM if draw.random() < 0.5 else Form.CONVOLUTION
    config = config_text(draw.choice(SIDES), draw.choice(SIDES), draw.choice(tuple(DATAFLOWS)))
    rows = [random_gemm(draw) if form is Form.GEMM else random_convolution(draw) for _ in range(layers)]
    return Question(config, topology_text(form, rows), form)


def random_gemm(draw: random.Random) -> tuple[int, ...]:
    """M, N, K."""
    return tuple(draw.randint(1, LARGEST_SIZE) for _ in range(3))


def random_convolution(draw: random.Random) -> tuple[int, ...]:
    """Input height and width, filter height and width, channels, filters, stride; the last window may overhang."""
    height, width = (draw.randint(1, LARGEST_MAP) for _ in range(2))
    filter_height, filter_width = draw.randint(1, min(height, 4)), draw.randint(1, min(width, 4))
    channels, filters, stride = draw.randint(1, 3), draw.randint(1, LARGEST_SIZE), draw.randint(1, 4)
    return height, width, filter_height, filter_width, channels, filters, stride
