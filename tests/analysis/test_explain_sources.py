"""What `mixarray explain` reads: runs and bundles, other machines and mappings, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.errors import InputError
from mixarray.result.read import read_run
from mixarray_analysis.cli import main
from mixarray_analysis.machine_differences import machine_differences
from mixarray_analysis.subjects import counters_sha256, read_subject, simulate_again
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

TOY = SwinShape("toy", channels=(64,), depths=(2,), heads=(2,))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle at 50 % low windows, a run of it, one of its model at W4A4, and one whose mappings were searched for."""
    place = tmp_path_factory.mktemp("explain")
    random_bundle(TOY, 112, 112, 500, 0, place / "bundle")
    simulate(place / "bundle", place / "run")
    simulate(place / "bundle", place / "low", "--uniform", "W4A4")
    simulate(place / "bundle", place / "searched", "--set", "mapping.search=exhaustive")
    return place


def simulate(bundle: Path, out: Path, *more: str) -> None:
    assert main(["simulate", str(bundle), *more, "-o", str(out), "-q"]) == 0


def explained(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main(["explain", *map(str, arguments), "--json"]) == 0
    values: list[dict[str, object]] = json.loads(capsys.readouterr().out)["explanations"]
    return values


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    capsys.readouterr()
    assert main(["explain", *map(str, arguments)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    return output.err


def test_a_run_says_where_its_bundle_lies_and_what_it_counted(place: Path) -> None:
    mixed, low = (read_run(place / name) for name in ("run", "low"))
    assert mixed.trace is not None
    assert low.trace is not None
    assert (mixed.trace.path, mixed.trace.uniform, mixed.trace.image) == ("../bundle", None, None)
    assert low.trace.uniform == (4, 4)
    simulated = simulate_again(read_subject(place / "run"))
    assert counters_sha256(simulated) == mixed.execution_sha256 != low.execution_sha256


def test_a_run_whose_mappings_were_searched_for(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(place / "searched")]) == 0
    assert "mapping search exhaustive" in capsys.readouterr().out
    (values,) = explained(capsys, place / "searched")
    run = read_run(place / "searched")
    assert run.speedup is not None
    assert values["mapping_search"] == "exhaustive"
    steps = values["waterfall"]
    assert isinstance(steps, list)
    assert (steps[-1]["cycles"], steps[-1]["cycles_against"]) == (run.totals.cycles, run.speedup.baseline_cycles)
    assert run.totals.cycles < read_run(place / "run").totals.cycles
    (values,) = explained(capsys, place / "searched", "--against", place / "run")
    assert values["machine_differs"] == [{"path": "mapping.search", "ours": "exhaustive", "theirs": "fixed"}]


def test_a_gated_run_is_explained_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Zero gating by operand changes no cycle; two images with codes of their own are priced, not timed, one by one."""
    recorded = ["--ratio", "0.5", "--n", "2", "--size", "112", "--tensors", "all", "-o", str(tmp_path / "bundle"), "-q"]
    assert main(["record", *recorded]) == 0
    simulate(tmp_path / "bundle", tmp_path / "gated", "--set", "zero_gating=operand")
    (values,) = explained(capsys, tmp_path / "gated")
    run = read_run(tmp_path / "gated")
    assert (values["images"], values["execution_sha256"]) == (2, run.execution_sha256)
    assert run.speedup is not None
    steps = values["waterfall"]
    assert isinstance(steps, list)
    assert (steps[-1]["cycles"], steps[-1]["cycles_against"]) == (run.totals.cycles, run.speedup.baseline_cycles)


def test_against_another_run_of_the_same_model(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (values,) = explained(capsys, place / "low", "--against", place / "run")
    assert values["against"] == str(place / "run")
    other = read_run(place / "run")
    assert values["against_execution_sha256"] == other.execution_sha256 != values["execution_sha256"]
    assert values["against_trace_sha256"] == other.trace_sha256
    steps = values["waterfall"]
    assert isinstance(steps, list)
    assert steps[-1]["cycles_against"] == read_run(place / "run").totals.cycles
    assert steps[-1]["cycles"] == read_run(place / "low").totals.cycles


def test_a_baseline_on_another_machine_is_called_so(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulate(place / "bundle", tmp_path / "fast", "--set", "dram_channels.0.bits_per_cycle=384")
    assert main(["explain", str(place / "run"), "--against", str(tmp_path / "fast")]) == 0
    said = "not the same machine: dram_channels.0.bits_per_cycle: 192 here, 384 there"
    assert said in capsys.readouterr().out
    (values,) = explained(capsys, place / "run", "--against", tmp_path / "fast")
    assert values["machine_differs"] == [{"path": "dram_channels.0.bits_per_cycle", "ours": "192", "theirs": "384"}]
    hashes = values["accelerator_sha256"], values["against_accelerator_sha256"]
    assert hashes == tuple(read_run(one).accelerator_sha256 for one in (place / "run", tmp_path / "fast"))
    assert hashes[0] != hashes[1]


def test_fields_that_one_machine_alone_has_are_absent_in_the_other() -> None:
    one, two = (load_accelerator(name) for name in ("packed_w4_32x32", "decoupled_int8_int4"))
    differences = {found.path: (found.ours, found.theirs) for found in machine_differences(one, two)}
    assert differences["arrays.1.rows"] == ("absent", "64")
    assert differences["mapping.group_order"] == (one.mapping.group_order.value, "concurrent")
    assert not {"name", "description"} & set(differences)
    assert machine_differences(one, one) == ()


def test_quiet_without_a_result_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "leaves nothing of the explanation without --out or --json" in refused(capsys, place / "run", "-q")
    assert explained(capsys, place / "run", "-q")


def test_a_bundle_that_moved_has_to_be_shown(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(place / "run", tmp_path / "run")
    assert "say where it is with --bundle" in refused(capsys, tmp_path / "run")
    (values,) = explained(capsys, tmp_path / "run", "--bundle", place / "bundle")
    assert values["execution_sha256"] == read_run(place / "run").execution_sha256
    against = "--against", tmp_path / "run"
    assert "say where it is with --against-bundle" in refused(capsys, place / "low", *against)
    (values,) = explained(capsys, place / "low", *against, "--against-bundle", place / "bundle")
    assert values["against_execution_sha256"] == read_run(place / "run").execution_sha256
    assert "there is no --against" in refused(capsys, place / "low", "--against-bundle", place / "bundle")


def test_another_trace_machine_or_count_is_refused(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(place / "run", tmp_path / "run")
    random_bundle(TOY, 112, 112, 200, 0, tmp_path / "bundle")
    assert "is not the trace of the run" in refused(capsys, tmp_path / "run")

    moved = ("--bundle", place / "bundle")
    accelerator = tmp_path / "run" / "accelerator.yaml"
    accelerator.write_text(accelerator.read_text().replace("clock_mhz: 500", "clock_mhz: 600"))
    assert "is not the machine of this run" in refused(capsys, tmp_path / "run", *moved)
    shutil.copy(place / "run" / "accelerator.yaml", accelerator)

    written = json.loads((tmp_path / "run" / "run.json").read_text())
    changed = json.dumps({**written, "execution_sha256": "0" * 64})
    (tmp_path / "run" / "run.json").write_text(changed)
    assert "counts something else for this run; simulate it again" in refused(capsys, tmp_path / "run", *moved)
    (tmp_path / "run" / "run.json").write_text("{}")
    assert "is no run of this version" in refused(capsys, tmp_path / "run", *moved)


def test_runs_that_cannot_be_compared_are_refused(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulate(place / "bundle", tmp_path / "plain", "-a", "plain_int8_32x32")
    assert "ran on other arrays" in refused(capsys, place / "run", "--against", tmp_path / "plain")
    random_bundle(TOY, 84, 112, 500, 0, tmp_path / "small")
    simulate(tmp_path / "small", tmp_path / "half")
    assert "is another model or input size" in refused(capsys, place / "run", "--against", tmp_path / "half")
    assert main(["simulate", "--gemm", "8,8,8", "--bits", "8,4", "-o", str(tmp_path / "gemm"), "-q"]) == 0
    assert "only runs of a bundle" in refused(capsys, tmp_path / "gemm")


def test_options_belong_to_one_kind_of_source(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in (("-a", "plain_int8_32x32"), ("--set", "clock_mhz=600"), ("--image", "0")):
        assert "belongs to a bundle" in refused(capsys, place / "run", *option)
    moved = ((option, place / "bundle") for option in ("--bundle", "--against-bundle"))
    for option in (("--against", place / "run"), *moved):
        assert "belongs to a run" in refused(capsys, place / "bundle", *option)
    assert "is neither a run (no run.json) nor a bundle" in refused(capsys, tmp_path)
    assert "two accelerators are named" in refused(
        capsys, place / "bundle", "-a", f"packed_w4_32x32,{place / 'run' / 'accelerator.yaml'}"
    )


def test_a_directory_without_a_run_is_refused(place: Path) -> None:
    with pytest.raises(InputError, match=r"holds no run\.json"):
        read_run(place)
