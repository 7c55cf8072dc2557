"""Closed forms equal the events; the design's worked example; what the layout rule is worth on Swin-T."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.enums import Dataflow, WeightLoading, WeightLoadRows
from mixarray.array import closed_form
from mixarray.array.closed_form import output_total_cycles, stationary_total_cycles
from mixarray.array.fold import RowRun
from mixarray.array.output import expand_output
from mixarray.array.problem import Problem, expand, stationary_folds
from mixarray.array.stationary import expand_stationary
from mixarray_analysis.validation.arrays import chooser, make_array, mode_sets
from mixarray_analysis.validation.checks.array_closed_form import CHECK, FAULTS, MODEL_FAULTS, compare
from mixarray_analysis.validation.faults import planted_copy
from mixarray_analysis.validation.fold_streams import draw_output, draw_stationary
from mixarray_analysis.validation.model_faults import in_model

SWIN_T = Path(__file__).parents[1] / "golden" / "swin_t_224_gemms.csv"


def choices(draw):
    return lambda low, high: draw(st.integers(low, high))


@given(st.data())
def test_stationary_totals_equal_the_closed_form(data):
    array, folds = draw_stationary(choices(data.draw), withheld=False)
    assert expand_stationary(array, folds).total_cycles == stationary_total_cycles(array, folds)


@given(st.data())
def test_output_totals_equal_the_closed_form(data):
    array, folds = draw_output(choices(data.draw), withheld=False)
    assert expand_output(array, folds).total_cycles == output_total_cycles(array, folds)


@given(st.data())
def test_withheld_rows_are_outside_the_closed_form(data):
    """Gaps only ever add cycles to it, and at most all of them."""
    array, folds = draw_stationary(choices(data.draw), withheld=True)
    least = stationary_total_cycles(array, [replace(fold, load_gaps=(), row_gaps=()) for fold in folds])
    withheld = sum(sum(fold.load_gaps) + sum(fold.row_gaps) for fold in folds)
    assert least <= expand_stationary(array, folds).total_cycles <= least + withheld


def test_the_check_holds_and_notices_every_mistake():
    outcome, mutants = CHECK.run(400, 1, lambda _: None), CHECK.mutants(1)
    assert (outcome.cases, outcome.mismatches, outcome.first_mismatch) == (400, 0, "")
    assert mutants.caught == mutants.planted
    assert len(mutants.planted) == len(FAULTS) + len(MODEL_FAULTS) == 17


def totals():
    """Of a few dozen fold streams, in closed form alone."""
    for number in range(40):
        array, folds = draw_stationary(chooser(5, number), withheld=False)
        yield stationary_total_cycles(array, folds)
        array, tiles = draw_output(chooser(5, number), withheld=False)
        yield output_total_cycles(array, tiles)


@pytest.mark.parametrize("fault", MODEL_FAULTS, ids=lambda fault: fault.name)
def test_no_mistake_in_the_model_moves_the_closed_form(fault):
    right = list(totals())
    with in_model(fault):
        assert list(totals()) == right


@pytest.mark.parametrize("fault", MODEL_FAULTS, ids=lambda fault: fault.name)
def test_a_planted_mistake_is_taken_back_whatever_happens(fault):
    before = [vars(owner)[fault.attribute] for owner in fault.owners]
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(RuntimeError))
        stack.enter_context(in_model(fault))
        assert [vars(owner)[fault.attribute] for owner in fault.owners] == [fault.wrong] * len(fault.owners)
        raise RuntimeError
    assert [vars(owner)[fault.attribute] for owner in fault.owners] == before


def test_a_disagreement_is_told_in_words():
    wrong = planted_copy(closed_form.__name__, *FAULTS["way through the array dropped"])
    found = next(filter(None, (compare(0, number, wrong) for number in range(9))))
    assert "cycles by events" in found


def test_a_mistake_needs_a_place():
    with pytest.raises(ValueError, match="0 places"):
        planted_copy(closed_form.__name__, "no such text", "")


def packed(rows, columns, policy=WeightLoading.DOUBLE, load_rows=WeightLoadRows.ALL):
    modes = mode_sets("packed_w4")[0]
    return make_array((rows, columns), "packed_w4", Dataflow.WEIGHT_STATIONARY, modes, policy, load_rows)


def runs_of(array, *rows):
    return tuple(RowRun(count, array.mode(*bits)) for count, bits in rows)


@pytest.mark.parametrize(("policy", "cycles"), [("serial", 66), ("single", 48), ("double", 36)])
def test_the_worked_example(policy, cycles):
    """Packed W4 4x4, K = 12, N = 6, 2 low and 3 high rows."""
    array = packed(4, 4, WeightLoading(policy))
    problem = Problem(runs_of(array, (2, (4, 4)), (3, (8, 4))), n=6, k=12)
    folds = stationary_folds(array, problem)
    assert [(fold.depth, fold.width) for fold in folds] == [(8, 4), (4, 4), (8, 2), (4, 2)]
    assert [fold.passes(array) for fold in folds] == [8, 5, 8, 5]
    assert expand(array, problem).total_cycles == stationary_total_cycles(array, folds) == cycles


@pytest.mark.parametrize(("depth", "cycles"), [(1, 5), (4, 5), (5, 8), (8, 8)])
def test_an_empty_slot_costs_no_pass(depth, cycles):
    """2 rows at (4,4) and 3 at (8,4) on 4 array rows: up to K = 4 slot 1 is empty, and every row passes once."""
    array = packed(4, 4)
    (fold,) = stationary_folds(array, Problem(runs_of(array, (2, (4, 4)), (3, (8, 4))), 4, depth))
    assert fold.passes(array) == cycles


def test_rows_of_another_layout_have_folds_of_their_own():
    """(8,8) splits its values over both slots: K = R per fold and two passes always, whatever K is."""
    array = packed(4, 4)
    problem = Problem(runs_of(array, (2, (4, 4)), (3, (8, 4)), (1, (8, 8))), n=4, k=5)
    folds = stationary_folds(array, problem)
    assert [(fold.depth, fold.rows, fold.first_row, fold.passes(array)) for fold in folds] == [
        (5, 5, 0, 8),
        (4, 1, 5, 2),
        (1, 1, 5, 2),
    ]
    assert expand(array, problem).total_cycles == stationary_total_cycles(array, folds)


@pytest.mark.parametrize("patch_embedding", [True, False])
def test_two_passes_for_every_8_bit_row_would_inflate_the_speedup_of_swin_t(patch_embedding):
    """Linear layers with merging and head at 224, 128 x 128, steady state: 1.38 by the layout rule, else 1.73.

    Steady state is a double-buffered array in the middle of a long stream: a fold takes max(Meff, its load rows).
    Rounded, the two figures are the same with and without the patch embedding.
    """
    array = packed(128, 128)
    high, low = array.mode(8, 4), array.mode(4, 4)
    cycles = dict.fromkeys(("low", "layout rule", "two passes always"), 0)
    for m, n, k, count in linear_layers(patch_embedding):
        folds = stationary_folds(array, Problem((RowRun(m, high),), n, k))
        for fold in folds:
            least, slow = fold.load_rows(array), m * high.slots
            cycles["low"] += count * max(m * low.passes(fold.depth, array.rows), least)
            cycles["layout rule"] += count * max(fold.passes(array), least)
            cycles["two passes always"] += count * max(slow, least)
    speedups = [Fraction(cycles[rule], cycles["low"]) for rule in ("layout rule", "two passes always")]
    assert [round(float(speedup), 2) for speedup in speedups] == [1.38, 1.73]


def linear_layers(patch_embedding):
    """(M, N, K, instances) of all GEMMs but the two products of attention."""
    with SWIN_T.open() as file:
        for layer in csv.DictReader(file):
            name = layer["name"]
            if not name.endswith((".qk", ".av")) and (patch_embedding or name != "patch_embed"):
                yield tuple(int(layer[field]) for field in ("M", "N", "K", "count"))


def test_the_low_bit_passes_alone_would_say_something_else():
    """Without the load rows, that is with passes only, the same layers gain 1.57 (and exactly 2 by the wrong rule)."""
    array = packed(128, 128)
    high, low = array.mode(8, 4), array.mode(4, 4)
    passes = dict.fromkeys((high, low), 0)
    for m, n, k, count in linear_layers(patch_embedding=True):
        for mode in passes:
            folds = stationary_folds(array, Problem((RowRun(m, mode),), n, k))
            passes[mode] += count * sum(fold.passes(array) for fold in folds)
    assert round(passes[high] / passes[low], 2) == 1.57
