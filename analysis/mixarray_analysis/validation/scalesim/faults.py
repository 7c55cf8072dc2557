"""Reading and timing with one deliberate fault each."""

from __future__ import annotations

from collections.abc import Sequence

from mixarray_analysis.validation.check import Mutants
from mixarray_analysis.validation.faults import Fault, planted_copy
from mixarray_analysis.validation.scalesim.compare import PeerRun, Subject, compare_run

TIMING = "mixarray.timing.scalesim"
TOPOLOGY = "mixarray.trace.scalesim_topology"
CONFIG = "mixarray.accelerator.scalesim_config"

FAULTS = (
    Fault("R + C instead of 2R + C", TIMING, "else 2 * rows)", "else rows)"),
    Fault("2R + C in output-stationary too", TIMING, "(rows if output_stationary else 2 * rows)", "2 * rows"),
    Fault("folds over rows rounded down", TIMING, "= -(-over_rows // rows)", "= (over_rows // rows or 1)"),
    Fault("folds over columns rounded down", TIMING, "-(-over_columns // columns)", "(over_columns // columns or 1)"),
    Fault("the streamed size folded over the columns", TIMING, "-(-over_columns //", "-(-streamed //"),
    Fault("without the -1", TIMING, "fold_cycles * folds - 1", "fold_cycles * folds"),
    Fault("-1 in every fold", TIMING, "fold_cycles * folds - 1", "(fold_cycles - 1) * folds"),
    Fault("weights read again for every fold", TIMING, "column_folds, k * n, m", "column_folds, k * n * row_folds, m"),
    Fault("inputs read once", TIMING, "m * k * column_folds, k * n, ", "m * k, k * n, "),
    Fault("partial sums written once", TIMING, "column_folds, k * n, m * n * row_folds", "column_folds, k * n, m * n"),
    Fault("input-stationary as weight-stationary", TIMING, "return k, m, n", "return k, n, m"),
    Fault("filters of input-stationary read once", TIMING, "k * n * column_folds", "k * n"),
    Fault("output-stationary drains nothing", TIMING, " + (folds * (rows + columns)", " + (0 * (rows + columns)"),
    Fault("filters of output-stationary read once", TIMING, "k * n * row_folds, m * n\n", "k * n, m * n\n"),
    Fault("utilisation over the time of a fold", TIMING, "fold_cycles + columns - 1", "fold_cycles"),
    Fault(
        "output height rounded down",
        TOPOLOGY,
        "m = -(-(height - filter_height + stride)",
        "m = ((height - filter_height + stride)",
    ),
    Fault("stride left out", TOPOLOGY, "-(-(width - filter_width + stride) // stride)", "(width - filter_width + 1)"),
    Fault("channels left out", TOPOLOGY, "(1 if depthwise else channels)", "1"),
    Fault(
        "height of the array for its width",
        CONFIG,
        'columns=keys.side("ArrayWidth")',
        'columns=keys.side("ArrayHeight")',
    ),
    Fault("width of the array for its height", CONFIG, 'rows=keys.side("ArrayHeight")', 'rows=keys.side("ArrayWidth")'),
    Fault("os read as ws", CONFIG, '"os": Dataflow.OUTPUT', '"os": Dataflow.WEIGHT'),
    Fault("is read as ws", CONFIG, '"is": Dataflow.INPUT', '"is": Dataflow.WEIGHT'),
    Fault("M and N exchanged", TOPOLOGY, "        m, n, k = sizes", "        n, m, k = sizes"),
)
"""What random layers of both forms in all three dataflows show."""
DEPTHWISE_FAULTS = (Fault("depthwise layers not expanded", TOPOLOGY, 'DEPTHWISE_MARK = "DP"', 'DEPTHWISE_MARK = "DW"'),)


def faulty_subject(fault: Fault) -> Subject:
    """Readers and rule with this fault; raises ValueError where the source has not exactly one place for it."""
    copy = vars(planted_copy(fault.module, fault.old, fault.new))
    if fault.module == TIMING:
        return Subject(time=copy["scalesim_timing"])
    if fault.module == CONFIG:
        return Subject(configure=copy["read_scalesim_config"])
    return Subject(read=copy["read_topology"])


def caught_faults(runs: Sequence[PeerRun], faults: Sequence[Fault] = FAULTS) -> Mutants:
    """Plant every fault in turn and compare all runs."""
    names = tuple(fault.name for fault in faults)
    noticed = (any(any(compare_run(faulty_subject(fault), run)) for run in runs) for fault in faults)
    return Mutants(names, tuple(name for name, seen in zip(names, noticed, strict=True) if seen))
