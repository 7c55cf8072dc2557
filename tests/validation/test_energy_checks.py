"""Conservation and sensitivity on runs that are drawn: what the draws cover, and what a wrong number looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixarray.mapping.schedule import Action
from mixarray.simulation import simulate
from mixarray_analysis.validation import conservation, sensitivity
from mixarray_analysis.validation.conservation import READ, draw_gemm, gemm_violation, sum_violation


def test_draws_cover_both_presets_with_and_without_leakage():
    assert {(gemm.preset, gemm.leakage) for gemm in (draw_gemm(5, case) for case in range(4))} == {
        (preset, leakage) for preset in conservation.PRESETS for leakage in conservation.LEAKAGES
    }


@pytest.fixture(scope="module")
def done():
    gemm = draw_gemm(0, 1)
    return simulate(gemm.workload((8, 4)), gemm.accelerator)


def test_one_picojoule_too_many_is_no_sum_of_counts_times_costs(done):
    assert sum_violation(done) == ""
    items = list(done.energy.items)
    items[0] = replace(items[0], pj=items[0].pj + 1)
    assert "counts times costs" in sum_violation(replace(done, energy=replace(done.energy, items=tuple(items))))


def test_a_count_that_is_not_costed_is_named(done):
    actions = {**done.execution.actions, READ: done.execution.actions[READ] + 1}
    found = sum_violation(replace(done, execution=replace(done.execution, actions=actions)))
    assert str(Action("dram_channels.0", "read_bits")) in found


def test_a_run_that_reads_less_than_its_operands_is_noticed():
    def thrifty(workload, accelerator):
        run = simulate(workload, accelerator)
        return replace(run, execution=replace(run.execution, actions={**run.execution.actions, READ: 64}))

    assert "compulsory" in gemm_violation(draw_gemm(0, 0), thrifty)


def test_pairs_are_near_enough_for_some_sensitivity_to_flip_them():
    pairs = [sensitivity.draw_pair(0, case) for case in (3, 4, 11)]
    assert any(sensitivity.flips_of(*pair) for pair in pairs)


def test_a_pair_compared_the_wrong_way_round_is_noticed(monkeypatch):
    first, second = sensitivity.draw_pair(0, 0)
    real = sensitivity.compare_pair
    assert sensitivity.pair_violation(first, second) == ""
    monkeypatch.setattr(sensitivity, "compare_pair", lambda one, other: real(other, one))
    assert "costed anew" in sensitivity.pair_violation(first, second)
