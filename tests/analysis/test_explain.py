"""`mixarray explain`: what it says and writes, and that its numbers are those of the runs."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.digest import execution_sha256, executions_sha256
from mixarray.engine.effects import STREAM_EFFECTS, Effect
from mixarray.result.read import read_run
from mixarray.trace.baseline import ratio_zero_workload
from mixarray.trace.bops import bops
from mixarray.trace.bundle import read_bundle
from mixarray_analysis.cli import main
from mixarray_analysis.explain_counters import attributed_by_operator, busy_by_effect
from mixarray_analysis.explaining import Explanation, explain_run
from mixarray_analysis.sentence import words_for
from mixarray_analysis.subjects import Subject, read_subject, simulate_again
from mixarray_analysis.waterfall_sentences import tell
from mixarray_analysis.waterfall_tables import waterfall_table
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

TOY = SwinShape("toy", channels=(64,), depths=(2,), heads=(2,))
MACHINES = "packed_w4_32x32,plain_int8_32x32"
FILES = {"waterfall.png", "waterfall.pdf", "waterfall.csv", "attribution.csv", "explain.json"}
VECTOR_KINDS = {"softmax", "layernorm", "gelu", "residual", "requantize", "row_sum", "column_sum", "patch_embed"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle at 50 % low windows, a run of it, and one of its model at W4A4."""
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
    bundle = read_bundle(place / "bundle")
    peak = 32 * 32 * 32  # bits x bits per cycle: in each PE one product of 8 x 4 bits, or two of 4 x 4
    published = [bops(workload) * 4 / peak for workload in (bundle.workload(0), ratio_zero_workload(bundle))]
    assert [steps[0]["cycles"], steps[0]["cycles_against"]] == pytest.approx(published, rel=1e-12)
    assert (steps[0]["cycles_reverse"], steps[0]["cycles_against_reverse"]) == (
        steps[0]["cycles"],
        steps[0]["cycles_against"],
    )
    assert (steps[1]["cycles_reverse"], steps[1]["cycles_against_reverse"]) == (
        steps[-1]["cycles"],
        steps[-1]["cycles_against"],
    )
    for step, after in pairwise([*steps[1:], steps[0]]):
        speedups = [one["cycles_against_reverse"] / one["cycles_reverse"] for one in (step, after)]
        assert step["bar_reverse"] == pytest.approx(speedups[0] - speedups[1], abs=1e-12)
    assert steps[0]["speedup"] == pytest.approx(run.speedup.bops_blocks, rel=1e-9)
    assert steps[-1]["speedup"] == pytest.approx(run.speedup.simulated, rel=1e-12)
    assert (steps[-1]["cycles"], steps[-1]["cycles_against"]) == (run.totals.cycles, run.speedup.baseline_cycles)
    assert sum(entry["cycles"] for entry in attribution) == run.totals.cycles
    assert sum(entry["cycles_against"] for entry in attribution) == run.speedup.baseline_cycles
    recorded = {(e.unit, e.kind.value): e.cycles for e in run.attribution}
    assert {(e["unit"], e["kind"]): e["cycles"] for e in attribution if e["cycles"]} == recorded
    assert values["execution_sha256"] == run.execution_sha256
    assert values["mapping_search"] == "fixed"
    assert values["accelerator_sha256"] == values["against_accelerator_sha256"] == run.accelerator_sha256
    assert values["trace_sha256"] == values["against_trace_sha256"] == run.trace_sha256
    assert values["machine_differs"] == []


def test_published_bops_are_at_the_weight_bits_of_the_model(tmp_path: Path) -> None:
    """8-bit weights: step 0 takes what the formula says for 8 bits."""
    random_bundle(TOY, 112, 112, 500, 0, tmp_path / "bundle", precision=Precision(weight_bits=8))
    subject = Subject("wide", read_bundle(tmp_path / "bundle"), load_accelerator("plain_int8_32x32"))
    first = explain_run(subject, None).waterfall.steps[0]
    assert first.cycles == Fraction(bops(subject.bundle.workload(0)) * 8, 32 * 32 * 64)


def test_neither_a_gated_run_nor_its_baseline_asks_for_codes(place: Path, found: Explanation) -> None:
    gated = load_accelerator("packed_w4_32x32", ["zero_gating=operand"])
    assert explain_run(Subject("gated", read_bundle(place / "bundle"), gated), None).waterfall == found.waterfall


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


def test_a_loss_of_other_units_names_what_it_adds_and_their_busy_cycles(found: Explanation) -> None:
    """Step 6 takes a speedup of 1.5 away, in both orders."""
    cycles, reverse_cycles = (
        [100, 102, 104, 106, 108, 110, 220, 222, 224],
        [100, 224, 222, 220, 218, 216, 214, 104, 102],
    )
    half, none = Fraction(3, 2), Fraction(1)
    speedups, reverse = [half] * 6 + [none] * 3, [half, *[none] * 6, half, half]
    steps = [
        replace(
            step,
            cycles=Fraction(cycles[step.number]),
            against_cycles=cycles[step.number] * speedups[step.number],
            reverse_cycles=Fraction(reverse_cycles[step.number]),
            reverse_against_cycles=reverse_cycles[step.number] * reverse[step.number],
            bar=Fraction(-1, 2) * (step.number == 6),
            reverse_bar=Fraction(-1, 2) * (step.number == 6),
        )
        for step in found.waterfall.steps
    ]
    busy = {**found.busy, Effect.VECTOR_UNIT: (Fraction(3000), Fraction(2900))}
    slower = replace(found, waterfall=replace(found.waterfall, steps=tuple(steps)), busy=busy)
    assert tell(slower)[1] == (
        "The largest loss is step 6, vector unit: -0.500x (-0.500 to -0.500 by the order of steps); it adds 55 cycles "
        "to 165 of the baseline and 110 to 110 of the run; its jobs keep their units busy for 3,000 and 2,900."
    )


def test_busy_cycles_are_those_of_both_executions(found: Explanation) -> None:
    """Sums over the counters of each run by kinds of job that are written down here; streams are nobody's."""
    run, reference = (simulate_again(one)[0][0] for one in (found.subject, found.reference))
    for side, simulation in enumerate((reference, run)):
        names = simulation.schedule.units
        busy = {(names[unit], kind.value): cycles for (unit, kind), cycles in simulation.execution.busy_cycles.items()}
        by_effect = {effect: values[side] for effect, values in found.busy.items()}
        vector = sum(cycles for (_, kind), cycles in busy.items() if kind in VECTOR_KINDS)
        loads = sum(cycles for (unit, kind), cycles in busy.items() if unit[:6] == "arrays" and kind != "stream")
        everything = sum(cycles for (_, kind), cycles in busy.items() if kind != "stream")
        assert by_effect[Effect.VECTOR_UNIT] == vector > 0
        assert by_effect[Effect.FILL_AND_LOADS] == loads > 0
        assert sum(by_effect.values()) == everything
        assert not any(by_effect[effect] for effect in STREAM_EFFECTS)
    before, after = found.busy[Effect.MIXED_WORK]
    assert after > before > 0


def test_every_cycle_has_an_operator_a_unit_and_a_kind(found: Explanation) -> None:
    run, reference = (simulate_again(one)[0][0] for one in (found.subject, found.reference))
    for side, simulation in enumerate((reference, run)):
        assert simulation.attribution is not None
        expected = {(index, unit, kind.value): n for (index, unit, kind), n in simulation.attribution.cycles.items()}
        owners = {owner: values[side] for owner, values in found.attributed.items() if values[side]}
        assert {(owner.number, owner.unit, owner.kind): cycles for owner, cycles in owners.items()} == expected
        operators = simulation.workload.operators
        assert all(owner.operator == operators[owner.number].operator.name for owner in owners)


def test_images_of_unequal_work_weigh_the_same(place: Path) -> None:
    """Two of one run and one of another: busy and attributed cycles are means over three images."""
    mixed, low = (simulate_again(read_subject(place / name))[0][0] for name in ("run", "low"))
    together = [(mixed, 2), (low, 1)]
    for counters in (busy_by_effect, attributed_by_operator):
        mean, one, other = (counters(simulated) for simulated in (together, [(mixed, 1)], [(low, 1)]))
        assert set(mean) == {*one, *other}
        assert mean == {key: (2 * one.get(key, 0) + other.get(key, 0)) / Fraction(3) for key in mean}
    with pytest.raises(ValueError, match="without a timeline"):
        attributed_by_operator([(replace(mixed, attribution=None), 1)])


def test_without_promise_loss_or_lever_the_sentences_say_so(place: Path) -> None:
    again = explain_run(read_subject(place / "run"), read_subject(place / "run"))
    arrival, loss, _ = tell(again)
    assert "BOPs promise 1.000x, 1.000x simulated; cycles went" in arrival
    assert loss == "No step takes anything from the speedup."
    assert tell(replace(again, lever=None))[2].startswith("Nothing but streams is on the critical chain")


def test_a_narrow_terminal_leaves_out_what_the_steps_add(found: Explanation) -> None:
    wide, narrow = (waterfall_table(found, width) for width in (110, 109))
    assert "what it adds" in wide.headings
    assert [heading for heading in wide.headings if heading != "what it adds"] == list(narrow.headings)
    assert [[*row[:2], *row[3:]] for row in wide.rows] == [list(row) for row in narrow.rows]


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
    owners = list(csv.DictReader(contents[0]["attribution.csv"].decode().splitlines()))
    for machine in MACHINES.split(","):
        last = next(row for row in rows if row["accelerator"] == machine and row["step"] == "8")
        for column in ("cycles", "cycles_against"):
            total = sum(float(row[column]) for row in owners if row["accelerator"] == machine)
            assert total == float(last[column])
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
