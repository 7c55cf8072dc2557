"""Faults of timing and of the datapath that a comparison of results must notice (design 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mixarray.accelerator.enums import Dataflow, WeightLoading
from mixarray.accelerator.modes import Bits
from mixarray.array.events import ArrayEvent, EventLog, make_log
from mixarray.array.fold import RowRun, StationaryFold, of_kind
from mixarray.array.functional_feed import StationaryFeed, stationary_feed
from mixarray.array.functional_parts import FunctionalRun
from mixarray.array.functional_stationary import run_stationary
from mixarray.array.problem import Problem
from mixarray_analysis.validation.arrays import make_array, mode_sets
from mixarray_analysis.validation.functional_cases import FunctionalCase, draw_operands, make_case
from mixarray_analysis.validation.model_faults import EMPTY_SLOTS_PASS, in_model


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: `run` is that of a faulty array on the case that `make` draws from a seed."""

    name: str
    make: Callable[[int], FunctionalCase]
    run: Callable[[FunctionalCase], FunctionalRun]


def shifted(log: EventLog, kinds: tuple[ArrayEvent, ...], cycles: int, first_fold: int = 0) -> EventLog:
    """The log with its events of these kinds moved by `cycles`, from fold `first_fold` on."""
    table = log.table().copy()
    table[np.isin(table[:, 1], kinds) & (table[:, 2] >= first_fold), 0] += cycles
    return make_log([table])


def packed_case(bits: Bits, loading: WeightLoading, k: int = 16) -> Callable[[int], FunctionalCase]:
    """Several folds on a packed array, full ones unless `k` is smaller than two slots; rows in one mode."""

    def make(seed: int) -> FunctionalCase:
        array = make_array((4, 4), "packed_w4", Dataflow.WEIGHT_STATIONARY, mode_sets("packed_w4")[0], loading)
        problem = Problem((RowRun(5, array.mode(*bits)),), 8, k)
        return make_case(array, problem, *draw_operands(np.random.default_rng(seed), problem))

    return make


def output_case(loading: WeightLoading) -> Callable[[int], FunctionalCase]:
    """Several full tiles on an output-stationary array, with fewer steps than a drain takes."""

    def make(seed: int) -> FunctionalCase:
        array = make_array((4, 4), "plain", Dataflow.OUTPUT_STATIONARY, ((8, 8),), loading)
        problem = Problem((RowRun(8, array.pe_modes[0]),), 8, 3)
        return make_case(array, problem, *draw_operands(np.random.default_rng(seed), problem))

    return make


def load_early(case: FunctionalCase, cycles: int = 2) -> FunctionalRun:
    """Weights enter before the last pass is through. One cycle is harmless: a register is written at a cycle's end."""
    return case.run(shifted(case.expansion.log, (ArrayEvent.LOAD_ISSUE,), -cycles, first_fold=1))


def _row_early(case: FunctionalCase) -> FunctionalRun:
    return case.run(shifted(case.expansion.log, (ArrayEvent.ROW_ISSUE, ArrayEvent.COMPUTE), -1))


def _register_dropped(case: FunctionalCase) -> FunctionalRun:
    """The log counts on a second register."""
    single = case.array.model_copy(update={"weight_loading": WeightLoading.SINGLE})
    return replace(case, array=single).run()


def _slots_swapped(case: FunctionalCase) -> FunctionalRun:
    feed = _feed(case)
    loads = replace(feed.loads, codes=feed.loads.codes[:, ::-1], exists=feed.loads.exists[:, ::-1])
    return _run_feed(case, replace(feed, loads=loads))


def _low_nibble_signed(case: FunctionalCase) -> FunctionalRun:
    feed = _feed(case)
    codes = feed.loads.codes.copy()
    codes[:, 0] = (codes[:, 0] + 8) % 16 - 8
    return _run_feed(case, replace(feed, loads=replace(feed.loads, codes=codes)))


def _shift_dropped(case: FunctionalCase) -> FunctionalRun:
    feed = _feed(case)
    passes = replace(feed.passes, shift_bits=np.zeros_like(feed.passes.shift_bits))
    return _run_feed(case, replace(feed, passes=passes))


def _compute_late(case: FunctionalCase) -> FunctionalRun:
    return case.run(shifted(case.expansion.log, (ArrayEvent.COMPUTE,), 1))


def _drain_early(case: FunctionalCase) -> FunctionalRun:
    return case.run(shifted(case.expansion.log, (ArrayEvent.DRAIN_ISSUE, ArrayEvent.RESULT), -1))


def _empty_slots_pass(case: FunctionalCase) -> FunctionalRun:
    with in_model(EMPTY_SLOTS_PASS):
        return make_case(case.array, case.problem, case.streaming, case.stationary).run()


def _feed(case: FunctionalCase) -> StationaryFeed:
    folds = of_kind(case.folds, StationaryFold)
    return stationary_feed(case.array, folds, case.expansion.log, case.streaming, case.stationary)


def _run_feed(case: FunctionalCase, feed: StationaryFeed) -> FunctionalRun:
    return run_stationary(case.array, feed, case.expansion.log, (case.problem.m, case.problem.n))


FAULTS = (
    Fault("load two cycles early", packed_case((8, 4), WeightLoading.SINGLE), load_early),
    Fault("row one cycle early", packed_case((8, 4), WeightLoading.SERIAL), _row_early),
    Fault("second weight register dropped", packed_case((8, 4), WeightLoading.DOUBLE), _register_dropped),
    Fault("slots swapped", packed_case((4, 4), WeightLoading.DOUBLE), _slots_swapped),
    Fault("low nibble read as signed", packed_case((8, 8), WeightLoading.DOUBLE), _low_nibble_signed),
    Fault("shift of the second pass dropped", packed_case((8, 8), WeightLoading.DOUBLE), _shift_dropped),
    Fault("an empty slot costs a pass", packed_case((8, 4), WeightLoading.DOUBLE, k=4), _empty_slots_pass),
    Fault("compute logged late", packed_case((8, 4), WeightLoading.DOUBLE), _compute_late),
    Fault("drain one cycle early", output_case(WeightLoading.SERIAL), _drain_early),
    Fault("drain register dropped", output_case(WeightLoading.DOUBLE), _register_dropped),
)
