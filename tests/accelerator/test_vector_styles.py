"""Vector unit styles and sorters: everything registered conforms, and closed forms of their costs."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import VECTOR_KINDS
from mixarray.accelerator.sorter import Sorter
from mixarray.accelerator.sorters import sorters
from mixarray.accelerator.vector_style import VectorStyle
from mixarray.accelerator.vector_styles import vector_styles
from mixarray.trace.model import OperatorKind


@pytest.mark.parametrize("style", vector_styles().values(), ids=lambda style: style.name)
def test_every_style_knows_every_kind_with_a_source(style: VectorStyle) -> None:
    assert set(style.passes) == set(VECTOR_KINDS)
    assert all(passes >= 0 for passes in style.passes.values())
    assert all(style.source_of(kind) for kind in VECTOR_KINDS)
    assert set(style.sources) <= set(style.passes)


def test_more_hardware_never_takes_more_passes() -> None:
    styles = vector_styles()
    for kind in VECTOR_KINDS:
        ladder = [styles[name].passes[kind] for name in ("multi_pass", "streaming", "fused")]
        assert ladder == sorted(ladder, reverse=True)
    assert [styles[name].passes[OperatorKind.SOFTMAX] for name in ("multi_pass", "streaming", "fused")] == [3, 2, 0]


@pytest.mark.parametrize(("style", "cycles"), [("multi_pass", 3 * 4), ("streaming", 2 * 4), ("fused", 0)])
def test_a_style_sets_the_cycles_of_an_operator(style: str, cycles: int) -> None:
    unit = load_accelerator("packed_w4_32x32", [f"vector_units.0.passes={style}"]).vector_units[0]
    assert unit.cycles(OperatorKind.SOFTMAX, 3 * unit.lanes + 1) == cycles


def test_passes_can_be_given_by_kind() -> None:
    listed = ", ".join(f"{kind.value}: {number}" for number, kind in enumerate(VECTOR_KINDS))
    unit = load_accelerator("packed_w4_32x32", [f"vector_units.0.passes={{{listed}}}"]).vector_units[0]
    assert [unit.passes_of(kind) for kind in VECTOR_KINDS] == list(range(len(VECTOR_KINDS)))


@pytest.mark.parametrize("sorter", sorters().values(), ids=lambda sorter: sorter.name)
def test_a_sorter_never_gets_quicker_with_more_scores_or_cuts_or_fewer_lanes(sorter: Sorter) -> None:
    assert sorter.source
    for cuts in range(4):
        assert sorter.cycles(1, 1, cuts) >= 0
        for scores in range(1, 200):
            cycles = sorter.cycles(scores, 4, cuts)
            assert sorter.cycles(scores, 8, cuts) <= cycles <= sorter.cycles(scores + 1, 4, cuts)
            assert cycles <= sorter.cycles(scores, 4, cuts + 1)
            for count in (sorter.compares, sorter.walks):
                assert 0 <= count(scores, cuts) <= count(scores + 1, cuts)
                assert count(scores, cuts) <= count(scores, cuts + 1)


@pytest.mark.parametrize("sorter", sorters().values(), ids=lambda sorter: sorter.name)
@pytest.mark.parametrize("scores", [2, 9, 360, 1392])
def test_a_sorter_reads_every_score_that_it_handles(sorter: Sorter, scores: int) -> None:
    """At least once where there is a cut; in the vector unit never more in a cycle than its width."""
    assert sorter.walks(scores, 1) >= 1
    assert sorter.dedicated or sorter.walks(scores, 3) * scores <= 32 * sorter.cycles(scores, 32, 3)


def test_closed_forms_of_sorters() -> None:
    known = sorters()
    assert known["radix_select"].cycles(100, 32, 1) == 16 * 4
    assert known["radix_select"].cycles(100, 32, 3) == 3 * 16 * 4
    assert known["radix_select"].compares(100, 0) == 0
    assert known["bitonic"].cycles(16, 16, 1) == 10  # 4 * 5 / 2 stages, 8 comparators at once
    assert known["bitonic"].compares(16, 5) == 80
    assert known["systolic_queue"].cycles(64, 1, 1) == 128


def test_the_width_says_nothing_of_a_queue() -> None:
    queue = sorters()["systolic_queue"]
    assert {queue.cycles(64, width, 1) for width in (1, 2, 32)} == {128}
    assert "whatever sorter_width says" in queue.title
