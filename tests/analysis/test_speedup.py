from __future__ import annotations

import math

import pytest

from mixarray_analysis.speedup import Counters, arrived_share, find_causes, judge

BEFORE = Counters(
    total_cycles=1000,
    attributed_cycles={("arrays.0", "stream"): 600, ("dram_channels.0", "dram_store"): 400},
    gemm_array_cycles={"qkv": 300, "fc1": 300},
    dram_bits=8000,
)


def after(stream: int, store: int, qkv: int = 300, fc1: int = 300, dram_bits: int = 8000) -> Counters:
    chain = {("arrays.0", "stream"): stream, ("dram_channels.0", "dram_store"): store}
    return Counters(stream + store, chain, {"qkv": qkv, "fc1": fc1}, dram_bits)


@pytest.mark.parametrize(
    ("promised", "simulated", "share"), [(1.5, 1.5, 1.0), (1.5, 1.25, 0.5), (1.5, 1.0, 0.0), (1.5, 0.75, -0.5)]
)
def test_share_of_the_promise_that_arrived(promised: float, simulated: float, share: float) -> None:
    assert arrived_share(promised, simulated) == pytest.approx(share)


def test_no_share_where_nothing_was_promised() -> None:
    assert arrived_share(1.0, 1.2) is None


def test_largest_cause_is_what_shrank_least_against_the_promise() -> None:
    causes = find_causes(BEFORE, after(stream=320, store=390), promised=2.0)
    assert [(cause.kind, cause.excess_cycles) for cause in causes] == [("dram_store", 190), ("stream", 20)]


def test_a_cause_that_only_the_new_run_has_is_counted_whole() -> None:
    new = Counters(1100, {**BEFORE.attributed_cycles, ("vector_units.0", "rank"): 100}, BEFORE.gemm_array_cycles, 0)
    ranked = {(cause.unit, cause.kind): cause for cause in find_causes(BEFORE, new, promised=1.0)}
    assert ranked["vector_units.0", "rank"].excess_cycles == 100
    assert ranked["vector_units.0", "rank"].before_cycles == 0


def test_equal_causes_are_ordered_by_name() -> None:
    chain = {("b", "stream"): 10, ("a", "stream"): 10}
    run = Counters(20, chain, {}, 0)
    assert [cause.unit for cause in find_causes(run, run, promised=2.0)] == ["a", "b"]


def test_excesses_sum_to_the_whole_loss() -> None:
    run = after(stream=500, store=350)
    verdict = judge(BEFORE, run, promised=1.6)
    lost_cycles = run.total_cycles - BEFORE.total_cycles / 1.6
    assert math.isclose(sum(cause.excess_cycles for cause in verdict.causes), lost_cycles)


def test_verdict_counts_the_gemms_that_got_faster() -> None:
    verdict = judge(BEFORE, after(stream=500, store=400, fc1=299), promised=1.5)
    assert (verdict.gemms, verdict.gemms_faster) == (2, 1)
    assert verdict.simulated == pytest.approx(1000 / 900)


def test_runs_of_different_models_are_refused() -> None:
    with pytest.raises(ValueError, match="different GEMMs"):
        judge(BEFORE, Counters(1, {}, {"other": 1}, 0), promised=1.5)
