"""The functional model: integer results from PE registers that only the array model's events move (design 8)."""

from __future__ import annotations

from collections.abc import Sequence

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Array
from mixarray.array.events import EventLog, Integers
from mixarray.array.fold import OutputFold, StationaryFold
from mixarray.array.functional_feed import stationary_feed
from mixarray.array.functional_output import output_feed, run_output
from mixarray.array.functional_parts import FunctionalRun
from mixarray.array.functional_stationary import run_stationary
from mixarray.array.operands import Codes, check_operands
from mixarray.array.output import expand_output
from mixarray.array.problem import Problem, output_folds, stationary_folds
from mixarray.array.stationary import expand_stationary


def run_functional(array: Array, problem: Problem, streaming: Codes, stationary: Codes) -> Integers:
    """The product (M, N) of streaming (M, K) and stationary (K, N) codes, as the array's registers form it.

    Input-stationary takes the transposed problem with both operands transposed. Raises InputError for operands that
    the problem or its modes do not allow, AccumulatorOverflowError for a sum that leaves `accumulator_bits`, and
    EventMismatchError where the array model's log is not what happens.
    """
    left, right = check_operands(problem, streaming, stationary)
    shape = problem.m, problem.n
    if array.dataflow is Dataflow.OUTPUT_STATIONARY:
        tiles = output_folds(array, problem)
        return output_run(array, tiles, expand_output(array, tiles).log, left, right, shape).outputs
    folds = stationary_folds(array, problem)
    return stationary_run(array, folds, expand_stationary(array, folds).log, left, right, shape).outputs


def stationary_run(
    array: Array,
    folds: Sequence[StationaryFold],
    log: EventLog,
    streaming: Integers,
    stationary: Integers,
    shape: tuple[int, int],
) -> FunctionalRun:
    """Move a weight-stationary array by any log of these folds (withheld rows, faults); operands are checked."""
    return run_stationary(array, stationary_feed(array, folds, log, streaming, stationary), log, shape)


def output_run(
    array: Array,
    folds: Sequence[OutputFold],
    log: EventLog,
    streaming: Integers,
    stationary: Integers,
    shape: tuple[int, int],
) -> FunctionalRun:
    """Move an output-stationary array by any log of these folds; operands are checked."""
    return run_output(array, folds, output_feed(array, folds, log, streaming, stationary), log, shape)
