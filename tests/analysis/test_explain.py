"""`mixarray explain`: what it reads, what it says, what it writes, and what it refuses."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mixarray.engine.digest import execution_sha256, executions_sha256
from mixarray.engine.effects import Effect
from mixarray.errors import InputError
from mixarray.result.read import read_run
from mixarray_analysis.cli import main
from mixarray_analysis.explaining import Explanation, explain_run
from mixarray_analysis.sentence import words_for
from mixarray_analysis.subjects import counters_sha256, read_subject, simulate_again
from mixarray_analysis.waterfall_sentences import tell
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

TOY = SwinShape("toy", channels=(64,), depths=(2,), heads=(2,))
MACHINES = "packed_w4_32x32,plain_int8_32x32"
FILES = {"waterfall.png", "waterfall.pdf", "waterfall.csv", "explain.json"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a bundle at 50 % low windows, a run of it, and one of its model at W4A4."""
    place = tmp_path_factory.mktemp("explain")
    random_bundle(TOY, 112, 112, 500, 0, place / "bundle")
    simulate(place / "bundle", place / "run")
    simulate(place / "bundle", place / "low", "--uniform", "W4A4")
    return place


def simulate(bundle: Path, out: Path, *more: str) -> None:
    assert main(["simulate", str(bundle), *more, "-o", str(out), "-q"]) == 0


@pytest.fixture(scope="module")
def found(place: Path) -> Explanation:
    return explain_run(read_subject(place / "run"), None)


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


def test_the_hash_is_over_counters_whichever_engine_ran_them(place: Path) -> None:
    execution = simulate_again(read_subject(place / "run"))[0][0].execution
    same = replace(execution, engine="another", timeline=None)
    assert execution_sha256(same) == execution_sha256(execution)
    for field in ("total_cycles", "jobs", "macs", "useful_pe_cycles"):
        more = replace(execution, **{field: getattr(execution, field) + 1})
        assert execution_sha256(more) != execution_sha256(execution), field
    for field in ("busy_cycles", "actions", "operators"):
        less = replace(execution, **{field: type(getattr(execution, field))()})
        assert execution_sha256(less) != execution_sha256(execution), field
    assert executions_sha256([(execution, 1), (same, 2)]) == executions_sha256([(execution, 3)])
    assert executions_sha256([(execution, 1)]) != executions_sha256([(execution, 2)])


def test_the_report_has_steps_units_and_three_sentences(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(place / "run")]) == 0
    text = capsys.readouterr().out
    for name in ("published BOPs", "fold edges", "MixA-Q's own work", "where the cycles went", words_for("softmax")):
        assert name in text
    (values,) = explained(capsys, place / "run")
    sentences = values["sentences"]
    assert isinstance(sentences, list)
    assert len(sentences) == 3
    for sentence in sentences:
        assert sentence in text
        assert sentence.endswith(".")


def test_json_holds_the_run_step_by_step(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (values,) = explained(capsys, place / "run")
    run = read_run(place / "run")
    assert run.speedup is not None
    steps, attribution = values["waterfall"], values["attribution"]
    assert isinstance(steps, list)
    assert isinstance(attribution, list)
    assert [step["step"] for step in steps] == list(range(9))
    assert steps[0]["speedup"] == pytest.approx(run.speedup.bops_blocks, rel=1e-9)
    assert steps[-1]["speedup"] == pytest.approx(run.speedup.simulated, rel=1e-12)
    assert (steps[-1]["cycles"], steps[-1]["cycles_against"]) == (run.totals.cycles, run.speedup.baseline_cycles)
    assert sum(entry["cycles"] for entry in attribution) == run.totals.cycles
    assert sum(entry["cycles_against"] for entry in attribution) == run.speedup.baseline_cycles
    recorded = {(e.unit, e.kind.value): e.cycles for e in run.attribution}
    assert {(e["unit"], e["kind"]): e["cycles"] for e in attribution if e["cycles"]} == recorded
    assert values["execution_sha256"] == run.execution_sha256


def test_sentences_are_built_from_steps_and_counters(found: Explanation) -> None:
    falls, lever = found.waterfall, found.lever
    arrival, loss, change = tell(found)
    share = 100 * (falls.simulated - 1) / (falls.promised - 1)
    assert f"BOPs promise {float(falls.promised):.3f}x, {float(falls.simulated):.3f}x simulated" in arrival
    assert f"{float(share):.1f} % of the promised gain" in arrival
    worst = min(falls.steps[1:], key=lambda step: step.bar)
    assert f"step {worst.number}, {worst.name}: {float(worst.bar):+.3f}x" in loss
    assert lever is not None
    assert f"{words_for(lever.kind)} ({lever.unit})" in change
    assert f"{lever.attributed_cycles:,.0f} of {lever.total_cycles:,.0f} cycles" in change
    assert lever.total_cycles - lever.attributed_cycles <= lever.free_cycles <= lever.total_cycles


def test_a_loss_of_other_units_names_their_busy_cycles(found: Explanation) -> None:
    steps = list(found.waterfall.steps)
    speedups = [Fraction(3, 2)] * 6 + [Fraction(1)] * 3
    for number, speedup in enumerate(speedups):
        bar = speedup - speedups[max(0, number - 1)]
        cycles = Fraction(100 + number)
        steps[number] = replace(
            steps[number], cycles=cycles, against_cycles=cycles * speedup, bar=bar, reverse_bar=bar
        )  # fmt: skip
    steps[6:] = [replace(step, cycles=step.cycles * 2, against_cycles=step.against_cycles * 2) for step in steps[6:]]
    busy = {**found.busy, Effect.VECTOR_UNIT: (Fraction(3000), Fraction(2900))}
    slower = replace(found, waterfall=replace(found.waterfall, steps=tuple(steps)), busy=busy)
    assert tell(slower)[1] == (
        "The largest loss is step 6, vector unit: -0.500x (-0.500 to -0.500 by the order of steps); its jobs keep "
        "their units busy for 3,000 and 2,900 cycles, where the promise allows 2,000."
    )


def test_without_promise_loss_or_lever_the_sentences_say_so(place: Path) -> None:
    again = explain_run(read_subject(place / "run"), read_subject(place / "run"))
    arrival, loss, _ = tell(again)
    assert "BOPs promise 1.000x, 1.000x simulated; cycles went" in arrival
    assert loss == "No step takes anything from the speedup."
    assert tell(replace(again, lever=None))[2].startswith("Nothing but streams is on the critical chain")


def test_against_another_run_of_the_same_model(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (values,) = explained(capsys, place / "low", "--against", place / "run")
    assert values["against"] == str(place / "run")
    steps = values["waterfall"]
    assert isinstance(steps, list)
    assert steps[-1]["cycles_against"] == read_run(place / "run").totals.cycles
    assert steps[-1]["cycles"] == read_run(place / "low").totals.cycles


def test_files_of_several_accelerators_side_by_side(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = []
    for name in ("one", "two"):
        assert main(["explain", str(place / "bundle"), "-a", MACHINES, "-o", str(tmp_path / name), "-q"]) == 0
        contents.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert capsys.readouterr().out == ""
    assert contents[0] == contents[1]
    assert set(contents[0]) == FILES
    rows = list(csv.DictReader(contents[0]["waterfall.csv"].decode().splitlines()))
    for machine in MACHINES.split(","):
        steps = [row for row in rows if row["accelerator"] == machine]
        assert [int(row["step"]) for row in steps] == list(range(9))
        change = float(steps[-1]["speedup"]) - float(steps[0]["speedup"])
        for column in ("bar", "bar_reverse"):
            assert sum(float(row[column]) for row in steps) == pytest.approx(change, abs=1e-12)
    assert [one["accelerator"] for one in json.loads(contents[0]["explain.json"])["explanations"]] == MACHINES.split(
        ","
    )
    assert "already exists" in refused(capsys, place / "bundle", "-o", tmp_path / "one")


def test_the_picture_shows_the_numbers(place: Path) -> None:
    import pandas as pd
    from matplotlib.patches import Rectangle

    from mixarray_analysis.plots.waterfall import plot_waterfall
    from mixarray_analysis.waterfall_tables import COLUMNS, waterfall_rows

    found = explain_run(read_subject(place / "run"), None)
    shown = pd.DataFrame(waterfall_rows([found]), columns=list(COLUMNS))
    twice = pd.concat([shown, shown.assign(accelerator="other")])
    _, axes = plot_waterfall(twice)
    assert [ax.get_title() for ax in axes] == ["packed_w4_32x32", "other"]
    texts = [text.get_text() for text in axes[0].texts]
    promised, simulated = float(found.waterfall.promised), float(found.waterfall.simulated)
    assert texts[:2] == [f"{promised:.3f}", f"{simulated:.3f}"]
    assert texts[2:] == [f"{float(step.bar):+.3f}" for step in found.waterfall.steps[1:]]
    bars = [patch for patch in axes[0].patches if isinstance(patch, Rectangle)]
    assert [bar.get_x() for bar in bars[2:]] == pytest.approx([float(s.speedup) for s in found.waterfall.steps[:-1]])
    with pytest.raises(ValueError, match="do not fit one panel"):
        plot_waterfall(twice, axes[0])


def test_a_bundle_that_moved_has_to_be_shown(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(place / "run", tmp_path / "run")
    assert "say where it is with --bundle" in refused(capsys, tmp_path / "run")
    (values,) = explained(capsys, tmp_path / "run", "--bundle", place / "bundle")
    assert values["execution_sha256"] == read_run(place / "run").execution_sha256


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
    for option in (("--against", place / "run"), ("--bundle", place / "bundle")):
        assert "belongs to a run" in refused(capsys, place / "bundle", *option)
    assert "is neither a run (no run.json) nor a bundle" in refused(capsys, tmp_path)
    assert "two accelerators are named" in refused(
        capsys, place / "bundle", "-a", f"packed_w4_32x32,{place / 'run' / 'accelerator.yaml'}"
    )


def test_a_directory_without_a_run_is_refused(place: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as a run"):
        read_run(place)
