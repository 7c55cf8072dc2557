"""W4A4 with W4A2 windows: cycles by closed form on both kinds of array, the promise in BOPs, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.choice import Engine
from mixarray.mapping.schedule import JobKind
from mixarray.result.run import RunResult
from mixarray.simulation import Simulation, simulate
from mixarray.trace.baseline import uniform_workload
from mixarray.trace.bops import bops
from mixarray.trace.bundle import Bundle, read_bundle
from mixarray.trace.model import OperatorKind
from mixarray_analysis.cli import main
from mixarray_analysis.gemm_lines import gemm_lines
from mixarray_analysis.runs import RunTask, run_task
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

TOY = SwinShape("toy", channels=(32, 64, 128), depths=(2, 2, 2), heads=(1, 2, 4))
BRICKS, PACKED, PLAIN = "bricks16_16x32", "packed_w4_32x32", "plain_int8_32x32"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles of a small Swin at 0, 0.5 and 1 of the windows at the low bits, by pair of branches."""
    root = tmp_path_factory.mktemp("narrow")
    for high, low in ((8, 4), (4, 2)):
        for ratio in (0, 500, 1000):
            precision = Precision(branch_bits=(high, low))
            random_bundle(TOY, 112, 112, ratio, 0, root / f"{high}{low}-{ratio}", precision=precision)
    return root


def bundle(root: Path, name: str) -> Bundle:
    return read_bundle(root / name)


def streams(run: Simulation) -> dict[str, int]:
    """Simulated cycles that each GEMM streams, by name."""
    return {
        grouped.operator.name: sum(cycles for (_, kind), cycles in counts.busy_cycles.items() if kind is JobKind.STREAM)
        for grouped, counts in zip(run.workload.operators, run.execution.operators, strict=True)
        if grouped.operator.kind is OperatorKind.GEMM
    }


def expected(run: Simulation) -> dict[str, int]:
    """Every group: its rows, once per column of the array, once per values of K that a pass covers in its mode."""
    found = {}
    for grouped in run.workload.operators:
        op, cycles = grouped.operator, 0
        for group in grouped.groups if op.kind is OperatorKind.GEMM else ():
            array, mode = (
                run.accelerator.arrays[0],
                run.accelerator.array_for(group.stream_bits, group.stationary_bits)[1],
            )
            passes = -(-op.k // (array.rows * mode.lanes))
            if mode.slots_per_value > 1:  # the packed (8,8): K = R per fold, two passes each
                passes = mode.slots_per_value * -(-op.k // array.rows)
            cycles += group.batch * group.rows * -(-op.n // array.columns) * passes
        if op.kind is OperatorKind.GEMM:
            found[op.name] = cycles
    return found


@pytest.mark.parametrize("name", ["84-500", "42-0", "42-500", "42-1000"])
@pytest.mark.parametrize("accelerator", [BRICKS, PACKED])
def test_a_mixed_trace_streams_the_closed_form(root: Path, name: str, accelerator: str) -> None:
    run = simulate(bundle(root, name).workload(0), load_accelerator(accelerator))
    assert streams(run) == expected(run)


@pytest.mark.parametrize("dataflow", ["weight_stationary", "input_stationary"])
def test_both_engines_count_the_same(root: Path, dataflow: str) -> None:
    machine, workload = load_accelerator(BRICKS, [f"arrays.0.dataflow={dataflow}"]), bundle(root, "42-500").workload(0)
    fast, event = (simulate(workload, machine, engine=engine).execution for engine in (Engine.FAST, Engine.EVENT))
    assert fast.total_cycles == event.total_cycles
    assert (fast.busy_cycles, fast.actions, fast.operators) == (event.busy_cycles, event.actions, event.operators)


def test_two_bits_are_faster_on_16_bricks_in_every_layer_that_is_deep_enough(root: Path) -> None:
    """A pass covers 64 values of K at 4 bits, 128 at 2: weights of K above 64 gain, Q K^T and A V do not."""
    zero, low = (simulate(bundle(root, f"42-{r}").workload(0), load_accelerator(BRICKS)) for r in (0, 1000))
    before, after = streams(zero), streams(low)
    faster = {name for name in before if after[name] < before[name]}
    deep = {g.operator.name for g in zero.workload.operators if g.operator.in_block and g.operator.k > 64}
    assert faster == deep
    assert deep
    assert all(2 * after[name] >= before[name] for name in deep)


def test_gains_of_gemms_are_reported_and_at_most_one_where_no_mode_is_narrow(root: Path) -> None:
    gains = {
        (name, accelerator): run_task(RunTask(root / name, accelerator)).speedup.gemms
        for name in ("84-500", "42-500", "42-1000")
        for accelerator in (BRICKS, PACKED, PLAIN)
    }
    assert all(gains[name, PLAIN] == 1 for name in ("84-500", "42-500", "42-1000"))
    assert gains["42-500", PACKED] == gains["42-1000", PACKED] == 1
    assert 1 < gains["42-500", BRICKS] < gains["42-1000", BRICKS] <= 2
    assert gains["84-500", BRICKS] > 1
    assert gains["84-500", PACKED] > 1


def test_the_promise_in_bit_operations_is_linear_in_activation_bits(root: Path) -> None:
    """Two bits are half of four, and a quarter of eight; half of the windows promise what the rows of the trace say."""
    zero, some, low = (bundle(root, f"42-{ratio}") for ratio in (0, 500, 1000))
    assert bops(zero.workload(0)) == 2 * bops(low.workload(0)) == bops(uniform_workload(some, 4, 4))
    assert 4 * bops(low.workload(0)) == bops(bundle(root, "84-0").workload(0))
    assert bops(some.workload(0)) * 2 == bops(bundle(root, "84-500").workload(0))
    assert bops(low.workload(0)) < bops(some.workload(0)) < bops(zero.workload(0))


def test_the_report_says_why_two_bits_gain_nothing_on_the_packed_array(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("simulate", str(root / "42-500"), "--accelerator", PACKED)) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "GEMMs 1.000x in cycles that rows stream through the arrays" in text
    assert "widened 2x2 in 4x4; 2x4 in 4x4 the arrays have no mode as narrow as these operands" in text
    assert "no gain from these bits but fewer bits to move" in text
    assert main(("simulate", str(root / "42-500"), "--accelerator", BRICKS)) == 0
    text = capsys.readouterr().out
    assert "widened" not in text
    assert "GEMMs        1.000x" not in text


def test_lines_of_gemms_without_a_baseline_say_only_what_is_widened(root: Path) -> None:
    result = run_task(RunTask(root / "42-500", PACKED)).result
    alone = RunResult.model_validate({**result.model_dump(), "speedup": None})
    assert [line.split()[0] for line in gemm_lines(alone)] == ["widened", "the", "of"]
    assert gemm_lines(alone.model_copy(update={"widened": ()})) == []
    assert all(len(line) <= 96 for line in gemm_lines(result))


def test_explain_names_the_step_in_which_the_bits_are_lost(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("explain", str(root / "42-1000"), "--accelerator", PACKED, "--json", "--quiet")) == 0
    (found,) = json.loads(capsys.readouterr().out)["explanations"]
    loss = found["sentences"][1]
    assert loss.startswith("The largest loss is step 2, supported modes")
    assert loss.endswith(": the arrays have no mode as narrow as some operands, which take the cycles of a wider one.")


def test_branch_bits_of_a_named_model_are_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = ("record", "--model", "swin_t", "--input", "224x224", "--weights", "random", "--score", "random")
    path = tmp_path / "bundle"
    assert main((*record, "--ratio", "0.5", "--bits", "4,2", "-o", str(path), "--quiet")) == 0
    manifest = read_bundle(path).manifest
    assert (manifest.activation_bits_high, manifest.activation_bits_low, manifest.weight_bits) == (4, 2, 4)
    for bits in ("2,4", "4,4", "4", "16,8", "4,1"):
        assert main((*record, "--ratio", "0.5", "--bits", bits, "-o", str(tmp_path / "other"))) == 2
        assert capsys.readouterr().err.startswith("error: --bits: ")
    assert main(("record", "--ratio", "0.5", "--bits", "4,2", "-o", str(tmp_path / "other"))) == 2
    assert "--bits: is for named models" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
