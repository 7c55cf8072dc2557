"""Plans run together give what each gives alone, bit for bit, and share the blocks in which they agree."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixarray.trace.ratio import Promotion
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.quantization import running
from mixarray_traces.quantization.network import NetworkRun, Plan
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.ratios import Ratios

TENTHS = st.integers(0, 8).map(lambda tenth: 100 * tenth)
TRIPLES = st.lists(TENTHS, min_size=3, max_size=3).map(lambda found: tuple(sorted(found)))
RATIOS = st.builds(lambda one, two, three: Ratios(((one,), (two,), three)), TENTHS, TENTHS, TRIPLES)


def equal(one: NetworkRun, other: NetworkRun) -> bool:
    windows = zip(one.windows, other.windows, strict=True)
    return torch.equal(one.output, other.output) and all(
        torch.equal(mine.low, theirs.low) and torch.equal(mine.pruned, theirs.pruned) for mine, theirs in windows
    )


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(RATIOS, min_size=1, max_size=4))
def test_together_equals_alone(
    asked: list[Ratios], model: QuantizedDetector, images: torch.Tensor, facts: tuple[ImageFacts, ...]
) -> None:
    plans = [model.plan(ratios, facts) for ratios in asked]
    found = dict(model.run_plans(images, plans))
    assert sorted(found) == list(range(len(plans)))
    assert all(equal(found[number], model.run(images, plan)) for number, plan in enumerate(plans))


@pytest.fixture
def unlike(model: QuantizedDetector, facts: tuple[ImageFacts, ...]) -> list[Plan]:
    """Plans of equal sizes that still may not share a block: another score, new rankings per block, pruning."""
    half = Ratios.uniform(500, model.depths)
    plan = model.plan(half, facts)
    return [
        plan,
        model.plan(half, facts, score="l2"),
        replace(plan, ratios=replace(half, promotion=Promotion.RANKING)),
        replace(plan, ratios=Ratios.uniform(300, model.depths, pruning=200)),
        replace(plan, low_bits=plan.high_bits),
    ]


def test_what_differs_in_more_than_ratios_is_not_shared(
    unlike: list[Plan], model: QuantizedDetector, images: torch.Tensor
) -> None:
    alone = [model.run(images, plan) for plan in unlike]
    together = dict(model.run_plans(images, unlike))
    assert all(equal(together[number], one) for number, one in enumerate(alone))
    assert not any(equal(alone[0], other) for other in alone[1:]), "else sharing would go unnoticed"


def test_blocks_before_the_first_difference_run_once(
    model: QuantizedDetector, images: torch.Tensor, facts: tuple[ImageFacts, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    run_block = running.run_block  # type: ignore[attr-defined]

    def count(block: object, name: str, *rest: object) -> torch.Tensor:
        ran.append(name)
        return run_block(block, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "run_block", count)
    ends = (0, 400, 800)
    plans = [model.plan(Ratios(((200,), (400,), (0, 0, last))), facts) for last in ends]
    assert len(dict(model.run_plans(images, plans))) == 3
    assert {name: ran.count(name) for name in ran} == {
        f"stages.{stage}.blocks.{block}": 3 if (stage, block) in ((2, 4), (2, 5)) else 1
        for stage, depth in enumerate(model.depths)
        for block in range(depth)
    }
