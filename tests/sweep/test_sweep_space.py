"""Points by number: grids are products, samples are what their names say, any draw is found without those before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.errors import InputError
from mixarray_analysis.sweeps.draws import TOGETHER, Draws
from mixarray_analysis.sweeps.keys import shares_of
from mixarray_analysis.sweeps.space import Space
from mixarray_analysis.sweeps.spec import Method, Sample, SweepSpec

PAIRS = (1, 2)
Make = Callable[..., SweepSpec]


def sample(points: int, method: str = "random", seed: int = 0, **axes: Any) -> dict[str, Any]:
    given_axes = {name.replace("__", "."): axis for name, axis in axes.items()}
    return {"method": method, "points": points, "seed": seed, "axes": given_axes}


def every(space: Space) -> list[dict[str, Any]]:
    return [dict(space[number]) for number in range(space.size)]


def test_a_grid_is_the_product_with_machines_slowest(make_spec: Make) -> None:
    grid = {"ratio": [0, 0.4], "clock_mhz": [500, 800], "pruning": [0, 0.1, 0.2], "arrays.0.rows": [16, 32]}
    found = every(Space(make_spec(grid=grid), PAIRS))
    assert found == [
        {"clock_mhz": clock, "arrays.0.rows": rows, "ratio": ratio, "pruning": pruning}
        for clock, rows, ratio, pruning in product([500, 800], [16, 32], [0, 400], [0, 100, 200])
    ]


def test_stages_and_pairs_have_axes_of_their_own(make_spec: Make) -> None:
    stages = every(Space(make_spec(grid={"ratio.stage": [0, 0.4]}), PAIRS))
    assert stages == [{"ratio.0": a, "ratio.1": b} for a, b in product([0, 400], repeat=2)]
    pairs = every(Space(make_spec(grid={"ratio.pair": [0, 0.4]}), PAIRS))
    assert len(pairs) == 2**3
    assert {(one["ratio.0.0"], one["ratio.1.0"], one["ratio.1.1"]) for one in pairs} == set(product([0, 400], repeat=3))


def test_values_that_are_mappings_set_several_keys(make_spec: Make) -> None:
    shapes = [{"arrays.0.rows": 16, "arrays.0.columns": 64}, {"arrays.0.rows": 64, "arrays.0.columns": 16}]
    assert every(Space(make_spec(grid={"shape": shapes}, set={"clock_mhz": 800}), PAIRS)) == [
        {"clock_mhz": 800, **shape} for shape in shapes
    ]


def test_the_closest_key_decides() -> None:
    given_shares = {"ratio": 100, "ratio.1": 200, "ratio.1.1": 300}
    assert shares_of("ratio", given_shares, PAIRS) == ((100,), (200, 300))
    assert shares_of("pruning", given_shares, PAIRS) == ((0,), (0, 0))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"grid": {"ratio.2": [0]}}, "'ratio.2' is not in the model"),
        ({"grid": {"ratio.1.2": [0]}}, "'ratio.1.2' is not in the model"),
        ({"grid": {"ratio.pairs": [0]}}, "is no share of windows"),
        ({"grid": {"ratio": ["a"]}}, "'a' is no number"),
        ({"grid": {"ratio": [0.9]}}, "0.9 is out of range"),
        ({"grid": {"ratio.stage": [0], "ratio.1": [0.4]}}, "'ratio.1' is given twice"),
        ({"grid": {"ratio.stage": [0], "ratio": [0.4]}}, "'ratio' decides nothing"),
    ],
)
def test_shares_that_a_model_cannot_have_are_refused(make_spec: Make, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Space(make_spec(**fields), PAIRS)
    assert message in str(caught.value)


def test_drawn_pairs_rise_within_their_stage_unless_promotion_is_allowed(make_spec: Make) -> None:
    axes = {"ratio__pair": {"from": 0, "to": 0.8, "step": 0.001}}
    refused, allowed = (
        every(Space(make_spec(sample=sample(500, **axes), promotion=promotion), (2, 4)))
        for promotion in ("refused", "ratios")
    )

    def falls(point: dict[str, Any]) -> bool:
        stages = [[point[f"ratio.{stage}.{pair}"] for pair in range(count)] for stage, count in ((0, 2), (1, 4))]
        return any(after < before for stage in stages for before, after in pairwise(stage))

    assert not any(map(falls, refused))
    assert sum(map(falls, allowed)) > 400, "without the order nearly every draw of four falls"


@given(points=st.integers(1, 60), axes=st.integers(1, 4), seed=st.integers(0, 5))
def test_a_latin_hypercube_draws_every_part_of_every_axis_once(points: int, axes: int, seed: int) -> None:
    def drawn(method: Method) -> list[list[int]]:
        asked = Sample(method=method, points=points, seed=seed, axes={str(one): (0, 1) for one in range(axes)})
        draws = Draws(asked, [points] * axes, [])
        return [draws[number] for number in range(points)]

    latin = drawn(Method.LATIN_HYPERCUBE)
    assert all(sorted(column) == list(range(points)) for column in zip(*latin, strict=True))
    if points > 20:
        independent = drawn(Method.RANDOM)
        assert not any(sorted(column) == list(range(points)) for column in zip(*independent, strict=True))


@pytest.mark.parametrize("method", list(Method))
def test_a_draw_does_not_depend_on_what_was_drawn_before(method: Method) -> None:
    asked = Sample(method=method, points=3 * TOGETHER, seed=1, axes={"a": (0, 1)})
    straight, mixed = Draws(asked, [1000, 7], []), Draws(asked, [1000, 7], [])
    numbers = [0, 2 * TOGETHER + 5, 3, TOGETHER, 2 * TOGETHER + 5, TOGETHER - 1]
    in_order = {number: straight[number] for number in sorted(set(numbers))}
    assert [mixed[number] for number in numbers] == [in_order[number] for number in numbers]
    assert len({tuple(one) for one in in_order.values()}) > 1


def test_a_longer_random_sample_begins_with_the_shorter_one(make_spec: Make) -> None:
    axes = {"arrays__0__rows": list(range(1, 101)), "ratio": [0, 0.4, 0.8]}
    short, longer, other = (
        every(Space(make_spec(sample=sample(points, seed=seed, **axes)), PAIRS))
        for points, seed in ((50, 3), (1500, 3), (50, 4))
    )
    assert longer[:50] == short
    assert other != short
    assert Counter(one["ratio"] for one in longer).keys() == {0, 400, 800}


def test_every_combination_of_the_grid_gets_the_same_draws(make_spec: Make) -> None:
    spec = make_spec(grid={"clock_mhz": [500, 800]}, sample=sample(20, arrays__0__rows=list(range(1, 50))))
    found = every(Space(spec, PAIRS))
    assert [one["arrays.0.rows"] for one in found[:20]] == [one["arrays.0.rows"] for one in found[20:]]
    assert [one["clock_mhz"] for one in found] == [500] * 20 + [800] * 20
