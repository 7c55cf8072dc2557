"""Published figures: how digits are compared, that files and checks agree on their number, windows of wanted shares."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.cost.rows import Status
from mixarray.trace.workload import Workload, build_workload
from mixarray_analysis.validation.checks import all_checks
from mixarray_analysis.validation.context.sparsevit import PRUNED, latency_rows, pruned_windows
from mixarray_analysis.validation.context.table import all_windows, workload_of
from mixarray_analysis.validation.published import bops, energy, swin
from mixarray_analysis.validation.published.ant import ant_ratios
from mixarray_analysis.validation.published.bitfusion import bitfusion_layers
from mixarray_analysis.validation.published.figure import DATA, half_unit, outcome_of, same_digits, shown
from mixarray_analysis.validation.published.windows_of_shares import block_weights, choose_windows
from mixarray_traces.record.shape import shape_named
from mixarray_traces.record.topology import block_grids, build_topology

GOLDEN = Path(__file__).parents[1] / "golden"
SWIN_T = shape_named("swin_t")


@pytest.mark.parametrize("file", [file for file, *_ in swin.LISTS])
def test_the_lists_that_the_package_ships_are_the_golden_ones(file):
    assert (DATA / file).read_bytes() == (GOLDEN / file).read_bytes()


@pytest.mark.parametrize(
    ("ours", "printed", "same"),
    [
        (Fraction(4491, 1000), "4.491", True),
        (Fraction(44905, 10000), "4.491", True),
        (Fraction(44904, 10000), "4.491", False),
        (Fraction(44916, 10000), "4.491", False),
        (Fraction(17, 10), "1.70", True),
        (Fraction(171, 100), "1.70", False),
        (Fraction(4), "4", True),
        (Fraction(9, 2), "4", True),
        (Fraction(46, 10), "4", False),
    ],
)
def test_figures_agree_to_the_digits_that_were_printed(ours, printed, same):
    assert same_digits(ours, printed) is same


def test_half_a_unit_of_the_last_digit():
    assert [half_unit(text) for text in ("4.491", "10", "0.30")] == [
        Fraction(1, 2000),
        Fraction(1, 2),
        Fraction(1, 200),
    ]
    with pytest.raises(ValueError, match="'nan' is not a finite number"):
        half_unit("nan")


def test_ours_are_shown_with_more_digits_than_published():
    assert [shown(Fraction(5, 3), text) for text in ("1.67", "2")] == ["1.6667", "2"]


def test_numbers_of_cases_are_those_of_the_files():
    found = {
        "swin_macs": len(swin.swin_figures(swin.Swin())) + len(swin.swin_lists(swin.Swin())),
        "energy_anchors": len(energy.energy_figures(energy.Costs())),
        "bitfusion_rule": len(list(bitfusion_layers())),
        "ant_rule": len(list(ant_ratios())),
    }
    assert {name: all_checks()[name].cases for name in found} == found
    assert all_checks()["bops_ratios"].cases % len(bops.bops_rows()) == 0


def test_an_outcome_names_the_first_figure_that_differs():
    comparisons = swin.swin_figures(swin.Swin(block_grids=lambda *size: {(stage, 0): GRID for stage in range(4)}))
    wrong = [comparison.mismatch for comparison in comparisons if not comparison.agrees]
    outcome = outcome_of(comparisons, len(comparisons), lambda step: None)
    assert (outcome.mismatches, outcome.first_mismatch) == (len(wrong), wrong[0])
    assert wrong[0] == "swin_t, 224x224: windows in stage 1: 64, published 16"


GRID = block_grids(SWIN_T, 224, 224)[0, 0]


@pytest.mark.parametrize("number", range(len(bops.bops_rows())))
def test_windows_come_as_near_to_a_row_of_the_table_as_half_a_window(number):
    row = bops.bops_rows()[number]
    for even in (True, False):
        counted = bops.count_row(row, random.Random(number), even)
        assert counted.residue < Fraction(1, 20_000)
        assert counted.cost == counted.algebra


def test_uneven_shares_differ_between_pairs():
    row = next(row for row in bops.bops_rows() if row.low_percent == Fraction(386, 1000))
    assignment = bops.count_row(row, random.Random(1), even=False).chosen.assignment
    low = {block: sum(c.windows for c in counts if c.bits == row.bits_low) for block, counts in assignment.items()}
    shares = [Fraction(low[stage, 0], sum(c.windows for c in assignment[stage, 0])) for stage in range(4)]
    assert max(shares) - min(shares) > Fraction(1, 10)
    assert max(shares) <= bops.LARGEST_LOW + Fraction(1, 20)


@given(
    low=st.fractions(0, Fraction(1, 2), max_denominator=1000),
    pruned=st.fractions(0, Fraction(1, 2), max_denominator=1000),
    size=st.sampled_from([(224, 224), (320, 200), (800, 1333)]),
    seed=st.integers(0, 99),
)
def test_chosen_windows_are_all_windows_and_their_shares_are_what_they_say(low, pruned, size, seed):
    chosen = choose_windows(SWIN_T, size, lambda block: (low, pruned), (8, 4), random.Random(seed))
    grids = block_grids(SWIN_T, *size)
    for block, counts in chosen.assignment.items():
        assert sum(count.windows for count in counts) == grids[block].windows
        assert sum(count.tokens for count in counts) == grids[block].tokens
        assert all(left.bits > right.bits for left, right in pairwise(counts))
    work = build_workload("any", build_topology(SWIN_T, *size), chosen.assignment, 49)
    whole = sum(block_weights(SWIN_T, size).values())
    assert Fraction(_block_macs(work), whole) == 1 - chosen.pruned
    assert Fraction(_block_macs(work, 4), whole) == chosen.low


def _block_macs(work: Workload, bits: int | None = None) -> int:
    return sum(
        group.batch * group.rows * grouped.operator.n * grouped.operator.k
        for grouped in work.operators
        if grouped.operator.in_block
        for group in grouped.groups
        if bits is None or group.bits == bits
    )


@pytest.mark.parametrize("row", latency_rows(), ids=lambda row: "".join(map(str, row.tenths)))
def test_sparsevits_pruning_leaves_the_macs_that_its_derived_ratios_say(row):
    dense = _block_macs(workload_of(PRUNED, all_windows(PRUNED, 8)))
    left = Fraction(_block_macs(workload_of(PRUNED, pruned_windows(row.tenths))), dense)
    assert same_digits(left, row.mac_ratio)
    assert left == 1 or not same_digits(left + Fraction(1, 500), row.mac_ratio)


def test_the_page_calls_nothing_published_that_nobody_printed():
    assert {(row.mac_status, row.status) for row in latency_rows()} == {(Status.DERIVED, Status.PRIMARY)}
    shares = {row.shares_status for row in bops.bops_rows() if row.low_percent not in (0, 1)}
    assert shares == {Status.DERIVED, Status.ASSUMED}
    assert all("solved from this row" in row.shares_from for row in bops.bops_rows() if row.pruned_percent)


def test_solved_shares_are_those_that_the_printed_bops_give():
    base = Fraction(bops.BASE_TBOPS)
    mixed = [row for row in bops.bops_rows() if row.shares_status is not Status.SECONDARY and row.tbops]
    for row in mixed:
        saved = row.pruned_percent + row.low_percent / 2
        assert abs(saved - (1 - Fraction(row.tbops) / base)) < Fraction(1, 1000)
    assert len(mixed) == 4


def test_the_table_agrees_with_itself_and_a_wrong_digit_would_show():
    rows = bops.bops_rows()
    assert [figure.mismatch for figure in bops.table_figures(rows) if figure.mismatch] == []
    for number, row in enumerate(rows):
        if row.tbops and row.speedup:
            wrong = row.model_copy(update={"speedup": f"{float(row.speedup) + 0.02:.2f}"})
            assert [f.what for f in bops.table_figures((*rows[:number], wrong, *rows[number + 1 :])) if f.mismatch]


def test_every_plain_layer_of_bit_fusion_is_there_once_on_each_configuration():
    places = [layer.what.split(", ", 1) for layer in bitfusion_layers()]
    layers, arrays = ({place[part] for place in places} for part in (0, 1))
    assert (len(layers), len(arrays), len(places)) == (22, 5, 110)
    assert sorted(places) == sorted([layer, array] for layer in layers for array in arrays)
    assert {f"AlexNet fc{number}" for number in (1, 2, 3)} | {"ResNet-18 conv2_2_a"} <= layers
