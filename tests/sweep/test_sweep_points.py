"""What numbers come to: refusals with reasons, constraints, and hashes that differ where what they name does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.accelerator.load import load_accelerator
from mixarray.cost.area import area_mm2
from mixarray.cost.tables import energy_table
from mixarray.errors import InputError
from mixarray.trace.bundle import read_bundle
from mixarray.trace.ratio import Promotion
from mixarray_analysis.sweeps.constraints import OPERATORS, parse_relation
from mixarray_analysis.sweeps.models import open_models
from mixarray_analysis.sweeps.points import Point, Points
from mixarray_analysis.sweeps.reasons import grouped, merged, reasons_lines
from mixarray_analysis.sweeps.spec import ModelSpec, SweepSpec
from mixarray_traces.quantization.ratios import RatioChoice
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

Make = Callable[..., SweepSpec]
SWIN = {"shape": "swin_t", "inputs": [224]}


def points_of(spec: SweepSpec, code: str = "code") -> list[Point | str]:
    models = [model for one in spec.models for model in open_models(one, spec.promotion)]
    every = Points(spec, models, code)
    return [every[number] for number in range(every.size)]


def kept(spec: SweepSpec, code: str = "code") -> list[Point]:
    found = points_of(spec, code)
    assert all(isinstance(one, Point) for one in found)
    return [one for one in found if isinstance(one, Point)]


def test_contents_are_equal_exactly_where_the_same_runs(make_spec: Make) -> None:
    """The stages have 16 and 4 windows: 0.5 and 0.499 are the same windows, 0.5 and 0.75 are not."""
    low = make_spec(grid={"ratio": [0.5, 0.499, 0.75]})
    half, same, more = kept(low)
    assert half.groups != more.groups
    assert half.content != more.content
    assert (half.groups, half.content) == (same.groups, same.content)
    assert len({one.identity for one in (half, same, more)}) == 3
    (other_code,) = kept(make_spec(grid={"ratio": [0.5]}), "edited")
    assert other_code.content != half.content
    faster, slower = kept(make_spec(grid={"ratio": [0.5], "clock_mhz": [500, 800]}))
    assert faster.content != slower.content
    (again,) = kept(make_spec(set={"ratio": 0.5}))
    assert (again.content, again.identity) == (half.content, half.identity)


def test_falling_ratios_are_refused_with_the_reason(make_spec: Make) -> None:
    found = points_of(make_spec(grid={"ratio.pair": [0, 0.4]}))
    reasons = [one for one in found if isinstance(one, str)]
    assert len(found) == 8
    assert len(reasons) == 2, "of the second stage's four settings one falls"
    assert reasons[0] == "stage 1 pair 1: 0 after 0.4; ratios must not fall within a stage"
    promoted = points_of(make_spec(grid={"ratio.pair": [0, 0.4]}, promotion="ratios", models=[SWIN]))
    assert not any(isinstance(one, str) for one in promoted)


def test_machines_that_cannot_be_are_refused_with_the_field(make_spec: Make) -> None:
    found = points_of(make_spec(grid={"arrays.0.dataflow": ["weight_stationary", "sideways"], "ratio": [0, 0.4]}))
    assert [isinstance(one, Point) for one in found] == [True, True, False, False]
    assert str(found[2]).startswith("arrays.0.dataflow: ")
    gated = points_of(make_spec(set={"zero_gating": "operand"}))
    assert "needs the codes" in str(gated[0])


def test_a_path_that_is_nowhere_stops_the_sweep(make_spec: Make) -> None:
    with pytest.raises(InputError, match=r"arrays\.0 has no 'row'"):
        points_of(make_spec(grid={"arrays.0.row": [1]}))
    with pytest.raises(InputError, match=r"has no 'arrays\.1\.rows'"):
        points_of(make_spec(constraints={"relations": ["arrays.1.rows == 3"]}))


def test_relations_hold_machines_together(make_spec: Make) -> None:
    sizes = [8, 16, 32]
    grid = {"arrays.0.rows": sizes, "arrays.0.columns": sizes}
    relation = "arrays.0.rows * arrays.0.columns == 256"
    found = points_of(make_spec(grid=grid, constraints={"relations": [relation]}))
    shapes = [
        (one.machine.accelerator.arrays[0].rows, one.machine.accelerator.arrays[0].columns)
        for one in found
        if isinstance(one, Point)
    ]
    assert shapes == [(8, 32), (16, 16), (32, 8)]
    assert {one for one in found if isinstance(one, str)} == {f"{relation} does not hold"}


@given(a=st.integers(0, 9), b=st.integers(0, 9), k=st.integers(0, 3), sign=st.sampled_from(sorted(OPERATORS)))
def test_relations_mean_what_python_means(a: int, b: int, k: int, sign: str) -> None:
    text = f"x.0.y * {k} {sign} z"
    assert parse_relation(text).holds({"x": [{"y": a}], "z": b}) == eval(f"{a} * {k} {sign} {b}")
    assert parse_relation("z == w").holds({"z": "1/2", "w": "2/4"})


def test_equal_area_and_equal_peak_keep_what_is_near_enough(make_spec: Make) -> None:
    grid = {"arrays.0.rows": [16, 31, 32, 33, 64], "arrays.0.columns": [32]}

    def rows(**equal: object) -> list[int]:
        found = points_of(make_spec(grid=grid, constraints={"equal": [{"to": "packed_w4_32x32", **equal}]}))
        return [one.machine.accelerator.arrays[0].rows for one in found if isinstance(one, Point)]

    assert rows(quantity="peak_macs_per_cycle") == [32]
    assert rows(quantity="peak_macs_per_cycle", within=0.04) == [31, 32, 33]
    accelerator = load_accelerator("packed_w4_32x32")
    areas = {}
    for one in grid["arrays.0.rows"]:
        area = area_mm2(
            load_accelerator("packed_w4_32x32", [f"arrays.0.rows={one}"]), energy_table(accelerator.energy_table)
        )
        assert area is not None
        areas[one] = area.value
    near = [one for one, area in areas.items() if abs(area - areas[32]) <= 0.2 * areas[32]]
    assert rows(quantity="area_mm2", within=0.2) == near
    assert 0 < len(near) < 5


def test_a_machine_without_areas_is_refused_where_areas_must_be_equal(make_spec: Make) -> None:
    equal = {"equal": [{"quantity": "area_mm2", "to": "packed_w4_32x32"}]}
    found = points_of(make_spec(grid={"energy_table": ["45nm-horowitz", "7nm-jouppi"]}, constraints=equal))
    assert isinstance(found[0], Point)
    assert found[1] == "energy_table: the table 7nm-jouppi has no areas"


@pytest.mark.parametrize("padded", [False, True])
def test_assignments_are_those_of_a_recording_at_the_same_ratios(padded: bool, tmp_path: Path) -> None:
    """Named shapes stand for what `record --weights random --seed 0` records, padded positions included."""
    size = (224, 224) if not padded else (256, 300)
    (model,) = open_models(ModelSpec(shape="swin_t", inputs=(f"{size[0]}x{size[1]}",)), Promotion.REFUSED)
    shape = SwinShape("swin_t", (96, 192, 384, 768), (2, 2, 6, 2), (3, 6, 12, 24))
    choice = RatioChoice(400, 100)
    bundle = read_bundle(random_bundle(shape, *size, choice, 0, tmp_path / "bundle"))
    assert repr(model.topology) == repr(bundle.topology), "steps that are not known are NaN, which equals nothing"
    assert model.assignment(model.groups(choice.at(shape.depths))) == bundle.assignment(0)
    (recorded,) = open_models(ModelSpec(bundle=str(tmp_path / "bundle")), Promotion.REFUSED)
    assert recorded.tokens == model.tokens


def test_reasons_are_grouped_by_their_words_and_keep_the_numbers_that_all_share() -> None:
    """In any order; the example is the first point's."""
    reasons = [(7, "16 is not within 5.0% of 2,048"), (3, "1.5e+06 is not within 5.0% of 2,048"), (5, "no (8,4)")]
    one = grouped(reasons)
    assert [(group.count, group.example, group.pattern, group.differing) for group in one.values()] == [
        (2, reasons[1][1], "# is not within 5.0% of 2,048", ("1.5e+06",)),
        (1, "no (8,4)", "no (8,4)", ()),
    ]
    parts = [grouped(reasons[:1]), grouped(reasons[1:])]
    assert merged(parts) == merged(parts[::-1]) == one
    three = merged([one, grouped([(9, "16 is not within 5.0% of 64")])])
    assert reasons_lines("refused", three, 1) == [
        "refused 3: # is not within 5.0% of #, e.g. 1.5e+06, 2,048\n  first: ",
        "and 1 more reasons",
    ]
