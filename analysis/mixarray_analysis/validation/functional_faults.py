"""Faults of timing and of the datapath that a comparison of results must notice (design 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.accelerator.modes import Bits
from mixarray.array.events import ArrayEvent, EventLog, Integers, make_log
from mixarray.array.fold import RowRun
from mixarray.array.functional_feed import StationaryFeed, stationary_feed
from mixarray.array.functional_parts import EventMismatchError
from mixarray.array.functional_stationary import run_stationary
from mixarray.array.problem import Problem
from mixarray_analysis.validation.functional_cases import (
    FunctionalCase,
    draw_operands,
    make_array,
    make_case,
    mode_of,
)

PACKED: tuple[Bits, ...] = ((4, 4), (8, 4), (8, 8))


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: `results` are those of a faulty array on the case that `make` draws from a seed."""

    name: str
    make: Callable[[int], FunctionalCase]
    results: Callable[[FunctionalCase], Integers]


def noticed(fault: Fault, case: FunctionalCase, expected: Integers) -> bool:
    """Whether the fault shows: wrong results, or events that are not those of the log."""
    try:
        return not np.array_equal(fault.results(case), expected)
    except EventMismatchError:
        return True


def shifted(log: EventLog, kinds: tuple[ArrayEvent, ...], cycles: int, first_fold: int = 0) -> EventLog:
    """The log with its events of these kinds moved by `cycles`, from fold `first_fold` on."""
    table = log.table().copy()
    table[np.isin(table[:, 1], kinds) & (table[:, 2] >= first_fold), 0] += cycles
    return make_log([table])


def packed_case(bits: Bits, loading: WeightLoading) -> Callable[[int], FunctionalCase]:
    """Several full folds on a packed array, rows in one mode."""

    def make(seed: int) -> FunctionalCase:
        array = make_array((4, 4), "packed_w4", Dataflow.WEIGHT_STATIONARY, PACKED, loading)
        problem = Problem((RowRun(5, mode_of(array, bits)),), 8, 16)
        return make_case(array, problem, *draw_operands(np.random.default_rng(seed), problem))

    return make


def output_case(loading: WeightLoading) -> Callable[[int], FunctionalCase]:
    """Several full tiles on an output-stationary array, with fewer steps than a drain takes."""

    def make(seed: int) -> FunctionalCase:
        array = make_array((4, 4), "plain", Dataflow.OUTPUT_STATIONARY, ((8, 8),), loading)
        problem = Problem((RowRun(8, array.pe_modes[0]),), 8, 3)
        return make_case(array, problem, *draw_operands(np.random.default_rng(seed), problem))

    return make


def load_early(case: FunctionalCase, cycles: int = 2) -> Integers:
    """Weights enter before the last pass is through. One cycle is harmless: a register is written at a cycle's end."""
    return case.run(shifted(case.expansion.log, (ArrayEvent.LOAD_ISSUE,), -cycles, first_fold=1)).outputs


def _row_early(case: FunctionalCase) -> Integers:
    return case.run(shifted(case.expansion.log, (ArrayEvent.ROW_ISSUE, ArrayEvent.COMPUTE), -1)).outputs


def _register_dropped(case: FunctionalCase) -> Integers:
    """The log counts on a second register."""
    single = case.array.model_copy(update={"weight_loading": WeightLoading.SINGLE})
    return replace(case, array=single).run().outputs


def _slots_swapped(case: FunctionalCase) -> Integers:
    feed = _feed(case)
    loads = replace(feed.loads, codes=feed.loads.codes[:, ::-1], exists=feed.loads.exists[:, ::-1])
    return _run_feed(case, replace(feed, loads=loads))


def _low_nibble_signed(case: FunctionalCase) -> Integers:
    feed = _feed(case)
    codes = feed.loads.codes.copy()
    codes[:, 0] = (codes[:, 0] + 8) % 16 - 8
    return _run_feed(case, replace(feed, loads=replace(feed.loads, codes=codes)))


def _shift_dropped(case: FunctionalCase) -> Integers:
    feed = _feed(case)
    passes = replace(feed.passes, shift_bits=np.zeros_like(feed.passes.shift_bits))
    return _run_feed(case, replace(feed, passes=passes))


def _compute_late(case: FunctionalCase) -> Integers:
    return case.run(shifted(case.expansion.log, (ArrayEvent.COMPUTE,), 1)).outputs


def _drain_early(case: FunctionalCase) -> Integers:
    return case.run(shifted(case.expansion.log, (ArrayEvent.DRAIN_ISSUE, ArrayEvent.RESULT), -1)).outputs


def _feed(case: FunctionalCase) -> StationaryFeed:
    return stationary_feed(case.array, case.stationary_folds, case.expansion.log, case.streaming, case.stationary)


def _run_feed(case: FunctionalCase, feed: StationaryFeed) -> Integers:
    return run_stationary(case.array, feed, case.expansion.log, (case.problem.m, case.problem.n)).outputs


FAULTS = (
    Fault("load two cycles early", packed_case((8, 4), WeightLoading.SINGLE), load_early),
    Fault("row one cycle early", packed_case((8, 4), WeightLoading.SERIAL), _row_early),
    Fault("second weight register dropped", packed_case((8, 4), WeightLoading.DOUBLE), _register_dropped),
    Fault("slots swapped", packed_case((4, 4), WeightLoading.DOUBLE), _slots_swapped),
    Fault("low nibble read as signed", packed_case((8, 8), WeightLoading.DOUBLE), _low_nibble_signed),
    Fault("shift of the second pass dropped", packed_case((8, 8), WeightLoading.DOUBLE), _shift_dropped),
    Fault("compute logged late", packed_case((8, 4), WeightLoading.DOUBLE), _compute_late),
    Fault("drain one cycle early", output_case(WeightLoading.SERIAL), _drain_early),
    Fault("drain register dropped", output_case(WeightLoading.DOUBLE), _register_dropped),
)
