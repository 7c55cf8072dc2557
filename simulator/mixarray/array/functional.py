"""The functional model: integer results from PE registers that only the array model's events move (design 8)."""

from __future__ import annotations

from collections.abc import Sequence

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Array
from mixarray.array.events import EventLog, Integers
from mixarray.array.fold import Fold, OutputFold, StationaryFold, of_kind
from mixarray.array.functional_feed import stationary_feed
from mixarray.array.functional_output import output_feed, run_output
from mixarray.array.functional_parts import FunctionalRun
from mixarray.array.functional_stationary import run_stationary
from mixarray.array.operands import Codes, check_operands
from mixarray.array.problem import Problem, expand_folds, folds


def run_functional(array: Array, problem: Problem, streaming: Codes, stationary: Codes) -> Integers:
    """The product (M, N) of streaming (M, K) and stationary (K, N) codes, as the array's registers form it.

    Input-stationary takes the transposed problem with both operands transposed. Raises InputError for operands that
    the problem or its modes do not allow, AccumulatorOverflowError for a sum that leaves `accumulator_bits`, and
    EventMismatchError where the array model's log is not what happens.
    """
    left, right = check_operands(problem, streaming, stationary)
    stream = folds(array, problem)
    return functional_run(array, stream, expand_folds(array, stream).log, left, right, (problem.m, problem.n)).outputs


def functional_run(
    array: Array, stream: Sequence[Fold], log: EventLog, streaming: Integers, stationary: Integers,
    shape: tuple[int, int],
) -> FunctionalRun:  # fmt: skip
    """Move an array by any log of these folds (withheld rows, faults); operands are checked, outputs have `shape`."""
    if array.dataflow is Dataflow.OUTPUT_STATIONARY:
        tiles = of_kind(stream, OutputFold)
        return run_output(array, tiles, output_feed(array, tiles, log, streaming, stationary), log, shape)
    feed = stationary_feed(array, of_kind(stream, StationaryFold), log, streaming, stationary)
    return run_stationary(array, feed, log, shape)
