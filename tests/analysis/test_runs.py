"""Real simulations of small random bundles: what a run is compared with, and what its counters add up to."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray_analysis.experiment import accelerator_names, simulate_plan
from mixarray_analysis.plan import Layout, Plan
from mixarray_analysis.runs import RunTask, run_task
from mixarray_analysis.speedup import judge
from mixarray_traces.record import SwinShape, random_bundle

SMALL = SwinShape("small", channels=(32, 64), depths=(2, 2), heads=(1, 2))
PACKED, PLAIN = "packed_w4_32x32", "plain_int8_32x32"
RATIOS = (0, 800)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep's directory with the bundles of two ratios: 64 and 16 windows of 7x7 tokens."""
    root = tmp_path_factory.mktemp("sweep")
    for ratio in RATIOS:
        random_bundle(SMALL, 224, 224, ratio, 0, Layout(root).bundle(ratio))
    return root


def test_ratio_zero_is_its_own_baseline(root: Path) -> None:
    answer = run_task(RunTask(Layout(root).bundle(0), PACKED))
    assert (answer.speedup.simulated, answer.speedup.bops_blocks) == (1.0, 1.0)
    assert judge(answer.baseline.counters, answer.counters, 1.0).share is None


def test_the_uniform_high_precision_is_ratio_zero(root: Path) -> None:
    uniform = run_task(RunTask(Layout(root).bundle(800), PACKED, uniform=(8, 4)))
    recorded = run_task(RunTask(Layout(root).bundle(0), PACKED))
    assert uniform.counters == recorded.counters
    assert uniform.speedup.simulated == 1.0


def test_counters_add_up(root: Path) -> None:
    answer = run_task(RunTask(Layout(root).bundle(800), PACKED))
    counters = answer.counters
    assert sum(counters.attributed_cycles.values()) == counters.total_cycles == answer.totals.cycles
    assert counters.dram_bits == answer.totals.dram_read_bits + answer.totals.dram_write_bits
    assert answer.speedup.baseline_cycles == answer.baseline.counters.total_cycles
    assert answer.speedup.simulated == answer.baseline.counters.total_cycles / counters.total_cycles


def test_the_promise_is_counted_from_the_rows_that_ran(root: Path) -> None:
    answer = run_task(RunTask(Layout(root).bundle(800), PACKED))
    # 12 of 64 and 3 of 16 windows stay high: the share of low rows is 13/16 in both stages, at half the bits
    assert answer.speedup.bops_blocks == pytest.approx(1 / (1 - 13 / 16 / 2))


def test_no_gemm_takes_fewer_array_cycles_on_plain_int8_and_some_do_on_packed(root: Path) -> None:
    verdicts = {}
    for name in (PLAIN, PACKED):
        answer = run_task(RunTask(Layout(root).bundle(800), name))
        verdicts[name] = judge(answer.baseline.counters, answer.counters, answer.speedup.bops_blocks)
    assert verdicts[PLAIN].gemms_faster == 0
    assert 0 < verdicts[PACKED].gemms_faster < verdicts[PACKED].gemms
    assert verdicts[PLAIN].dram_bits_after <= verdicts[PLAIN].dram_bits_before


def test_a_baseline_that_is_given_is_not_simulated_again_but_means_the_same(root: Path) -> None:
    alone = run_task(RunTask(Layout(root).bundle(800), PLAIN))
    given = run_task(RunTask(Layout(root).bundle(800), PLAIN, baseline=alone.baseline))
    assert alone.result == given.result


def test_a_sweep_is_the_same_on_one_process_and_on_two(root: Path, tmp_path: Path) -> None:
    texts = []
    for jobs in (1, 2):
        layout = Layout(tmp_path / str(jobs))
        layout.root.mkdir()
        (layout.root / "bundles").symlink_to(root / "bundles")
        plan = Plan(RATIOS, (PACKED, PLAIN), uniform=((4, 4),), jobs=jobs, quiet=True)
        runs, uniform = simulate_plan(plan, layout, accelerator_names(plan))
        assert set(runs) == {(name, ratio) for name in (PACKED, PLAIN) for ratio in RATIOS}
        assert set(uniform) == {(PACKED, (4, 4)), (PLAIN, (4, 4))}
        texts.append([file.read_bytes() for file in sorted(layout.root.glob("runs/*/*/*"))])
    assert texts[0] == texts[1]
    assert len(texts[0]) == 5 * 6
