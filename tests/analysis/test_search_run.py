"""Whole searches on a small untrained model: files, the shared accuracies, stopping and going on, comparing."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mixarray.accelerator.load import load_accelerator
from mixarray.errors import InputError
from mixarray_analysis.cli import main
from mixarray_analysis.models import open_model, prepare_torch
from mixarray_analysis.search import accuracy as accuracy_module
from mixarray_analysis.search import results
from mixarray_analysis.search.accuracy import Canvases
from mixarray_analysis.search.command import CACHE, Request, settings_of
from mixarray_analysis.search.compare import compare_searches
from mixarray_analysis.search.hardware import Objective
from mixarray_analysis.search.progress import CHECKPOINT, Reached, read_checkpoint
from mixarray_analysis.search.results import read_found, write_found
from mixarray_analysis.search.run import evenly, run_search
from mixarray_analysis.search.settings import Limits
from mixarray_analysis.search.subject import open_subject
from mixarray_traces.evaluation import evaluate
from mixarray_traces.quantization.identity import quantized_sha256
from mixarray_traces.quantization.ratios import Ratios

SIZE = 112
SMALL = ("--size", str(SIZE), "--n", "7", "--final-n", "5", "--population", "4", "--quiet")
LIMITS = Limits(generations=2, final_canvases=5)
RESUMED = ("--generations", "2", "--final-n", "5", "--quiet")
FILES = (CHECKPOINT, "front.csv", "search.json", "accelerator.yaml")
CANVASES = Canvases(7, SIZE, 0)


def wanted(objective: str, seed: int) -> Request:
    return Request(objective, "packed_w4_32x32", size=SIZE, canvases=7, seed=seed, population=4)


def silent(done: int, total: int) -> None:
    """Report nothing."""


@pytest.fixture(scope="module", autouse=True)
def one_revision() -> Iterator[None]:
    """Files are compared byte for byte, and somebody may commit while the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "git_revision", lambda: "a revision")
        yield


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Searches of the shipped model on cycles and on BOPs, two seeds, neighbours with one cache and one simulator."""
    prepare_torch()
    root = tmp_path_factory.mktemp("searches")
    first = settings_of(wanted("cycles", 0))
    subject = open_subject(first, root / CACHE)
    for objective in (Objective.CYCLES, Objective.BOPS):
        for seed in (0, 1):
            settings, out = replace(first, objective=objective, seed=seed), root / f"{objective.value}_{seed}"
            run_search(subject, settings, LIMITS, Reached.start(seed), out, lambda line: None, quiet=True)
    return root


def contents(directory: Path) -> dict[str, bytes]:
    return {name: (directory / name).read_bytes() for name in FILES}


def test_a_long_front_is_measured_at_its_ends_and_evenly_between() -> None:
    front = [(step,) for step in range(31)]
    assert evenly(front, 31) == front
    assert evenly(front, 16) == front[::2]
    assert evenly(front, 4) == [(0,), (10,), (20,), (30,)]
    assert evenly(front[:6], 3) == [(0,), (3,), (5,)]
    assert evenly(front, 2) == [(0,), (30,)]


def test_the_files_of_a_search(searched: Path) -> None:
    found = read_found(searched / "cycles_0")
    assert (found.generations, found.settings.seed, found.settings.objective.value) == (2, 0, "cycles")
    assert 4 <= found.evaluations <= 8
    assert [row.cycles for row in found.front] == sorted(row.cycles for row in found.front)
    assert [row.search_accuracy for row in found.front] == sorted(row.search_accuracy for row in found.front)
    assert {row.n for row in found.front} == {5}
    assert (found.baseline.low_actual, found.baseline.pruned_actual) == (0, 0)
    with (searched / "cycles_0" / "front.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(found.front)
    assert 0 <= found.hypervolume <= 1


def test_the_command_runs_the_same_search(searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, cache = tmp_path / "cycles", str(searched / CACHE)
    typed = ("--objective", "cycles", "--generations", "2", "--cache", cache, "-o", str(out))
    assert main(["search", *SMALL, *typed]) == 0
    assert contents(out) == contents(searched / "cycles_0")
    assert capsys.readouterr().out == ""


def test_the_accuracies_are_those_of_evaluate(searched: Path) -> None:
    found = read_found(searched / "cycles_0")
    row = found.front[0]
    opened = open_model(None)
    ratios = open_subject(found.settings, searched / CACHE).space.ratios(row.setting)
    final = evaluate(opened, [ratios], n=5, size=SIZE, seed=found.limits.final_seed)[0]
    assert (row.accuracy, row.accuracy_low, row.accuracy_high) == (final.ap50, final.ap50_low, final.ap50_high)
    assert (row.low_actual, row.pruned_actual) == pytest.approx((final.ratio_actual, final.pruning_actual))
    assert row.search_accuracy == evaluate(opened, [ratios], n=7, size=SIZE, seed=0)[0].ap50


class KilledError(Exception):
    """Stands for what ends a process."""


@pytest.mark.parametrize("keeps_cache", [True, False])
def test_a_killed_search_goes_on_as_if_nothing_had_happened(searched: Path, tmp_path: Path, keeps_cache: bool) -> None:
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        if len(lines) == 1:
            raise KilledError

    settings = read_found(searched / "cycles_0").settings
    out, cache = tmp_path / "killed", tmp_path / CACHE
    shutil.copy(searched / CACHE, cache)
    with pytest.raises(KilledError):
        run_search(open_subject(settings, cache), settings, LIMITS, Reached.start(0), out, say, quiet=True)
    assert sorted(entry.name for entry in out.iterdir()) == [CHECKPOINT]
    if not keeps_cache:
        cache.unlink()
    assert main(["search", "--resume", str(out), *RESUMED]) == 0
    assert contents(out) == contents(searched / "cycles_0")


def test_a_checkpoint_without_its_generator_would_be_noticed(searched: Path, tmp_path: Path) -> None:
    settings = read_found(searched / "cycles_0").settings
    subject, out = open_subject(settings, searched / CACHE), tmp_path / "out"
    run_search(subject, settings, replace(LIMITS, generations=1), Reached.start(0), out, lambda line: None, quiet=True)
    saved = json.loads((out / CHECKPOINT).read_text())
    saved["state"]["generator"] = Reached.start(5).state.to_json()["generator"]
    (out / CHECKPOINT).write_text(json.dumps(saved))
    assert main(["search", "--resume", str(out), *RESUMED]) == 0
    assert contents(out)[CHECKPOINT] != contents(searched / "cycles_0")[CHECKPOINT]


def test_accuracies_serve_every_objective_accelerator_and_seed(searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the model ran")

    other = settings_of(replace(wanted("energy", 9), accelerator="plain_int8_32x32"))
    shared = open_subject(other, searched / CACHE).meter
    monkeypatch.setattr(accuracy_module, "collect", never)
    uniform = [Ratios.uniform(0, (2, 2, 6))]
    known = shared.measure(uniform, CANVASES, silent)
    assert known == [read_found(searched / "cycles_0").baseline.search_accuracy]
    changed = [
        (shared, replace(CANVASES, n=3)),
        (shared, replace(CANVASES, seed=5)),
        (replace(shared, model_sha256="another"), CANVASES),
        (replace(shared, score="l2"), CANVASES),
    ]
    for meter, canvases in changed:
        with pytest.raises(AssertionError, match="the model ran"):
            meter.measure(uniform, canvases, silent)


def test_equal_group_sizes_are_measured_once(searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []
    collect = accuracy_module.collect

    def count(opened: object, planners: Sequence[object], *rest: object, **named: object) -> object:
        ran.append(len(planners))
        return collect(opened, planners, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(accuracy_module, "collect", count)
    subject = open_subject(read_found(searched / "cycles_0").settings, tmp_path / "fresh.jsonl")
    one, two = subject.space.ratios((0, 0, 0, 0, 1)), subject.space.ratios((0, 0, 0, 0, 8))
    assert subject.meter.groups(one) == subject.meter.groups(two), "of one window, every ratio makes it low"
    accuracies = subject.meter.measure([one, two, one], CANVASES, silent)
    assert ran == [1]
    assert len(set(accuracies)) == 1


def test_a_model_is_known_by_its_weights_and_quantizers() -> None:
    opened, again = open_model(None), open_model(None)
    assert quantized_sha256(opened) == quantized_sha256(again)
    with torch.no_grad():
        next(again.detector.parameters()).add_(1e-3)
    assert quantized_sha256(opened) != quantized_sha256(again)
    assert quantized_sha256(opened) != quantized_sha256(replace(opened, options=replace(opened.options, seed=1)))


def test_pruning_is_searched_too(searched: Path, tmp_path: Path) -> None:
    settings = replace(read_found(searched / "cycles_0").settings, pruning=True)
    subject, limits = open_subject(settings, searched / CACHE), replace(LIMITS, generations=1)
    run_search(subject, settings, limits, Reached.start(0), tmp_path, lambda line: None, quiet=True)
    found, (_, reached) = read_found(tmp_path), read_checkpoint(tmp_path / CHECKPOINT)
    assert subject.space.genes == 10
    assert any(any(genes[5:]) for genes in reached.measured), "some setting prunes"
    assert {len(row.setting) for row in found.front} == {10}


def test_searches_are_compared_seed_by_seed(searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("cycles_0", "cycles_1", "bops_0", "bops_1")
    out = tmp_path / "compared"
    assert main(["search", "compare", *(str(searched / name) for name in names), "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "packed_w4_32x32: searched on cycles against searched on BOPs, seeds 0, 1" in said
    with (out / "compare.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["0", "1"]
    for row in rows:
        ratio = float(row["hypervolume_own"]) / float(row["hypervolume_bops"])
        assert float(row["hypervolume_ratio"]) == pytest.approx(ratio)
    with (out / "fronts.csv").open(newline="") as file:
        drawn = list(csv.DictReader(file))
    assert {row["searched_on"] for row in drawn} == {"", "BOPs", "cycles"}
    assert (out / "fronts.png").stat().st_size > 0
    # the front of BOPs was searched on the same accelerator, so its own file says what it costs there
    bops = read_found(searched / "bops_0")
    costs = sorted(row.cycles / bops.baseline.cycles for row in bops.front)
    shown = [float(row["relative_cost"]) for row in drawn if row["searched_on"] == "BOPs" and row["seed"] == "0"]
    assert sorted(shown) == pytest.approx(costs)


def test_a_front_compared_with_itself_gains_nothing(searched: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(searched / "cycles_0", twin)
    saved = json.loads((twin / "search.json").read_text())
    saved["settings"]["objective"] = "bops"
    (twin / "search.json").write_text(json.dumps(saved))
    panel = compare_searches([searched / "cycles_0", twin])[0]
    assert panel.hypervolume_ratios == (1.0,)
    assert panel.gains == (0.0,)
    assert panel.seeds[0].gain is not None
    assert panel.seeds[0].gain.levels > 1


def test_searches_that_differ_in_more_than_the_objective_are_refused(searched: Path, tmp_path: Path) -> None:
    cycles, bops = searched / "cycles_0", searched / "bops_0"
    with pytest.raises(InputError, match="is of seed 1, and no search on bops is"):
        compare_searches([searched / "cycles_1", bops])
    with pytest.raises(InputError, match="needs searches on bops and searches on"):
        compare_searches([cycles])
    with pytest.raises(InputError, match="is another search on cycles of seed 0"):
        compare_searches([cycles, cycles, bops])
    unlike = tmp_path / "unlike"
    shutil.copytree(bops, unlike)
    saved = json.loads((unlike / "search.json").read_text())
    saved["settings"]["canvases"] = 9
    (unlike / "search.json").write_text(json.dumps(saved))
    with pytest.raises(InputError, match="not comparable"):
        compare_searches([cycles, unlike])
    (unlike / "search.json").unlink()
    with pytest.raises(InputError, match="is no finished search"):
        compare_searches([cycles, unlike])


def test_a_front_of_another_simulator_is_not_compared(searched: Path, tmp_path: Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(searched / "cycles_0", older)
    saved = json.loads((older / "search.json").read_text())
    saved["baseline"]["cycles"] += 1
    (older / "search.json").write_text(json.dumps(saved))
    with pytest.raises(InputError, match="simulated by another version"):
        compare_searches([older, searched / "bops_0"])


def test_a_result_half_written_over_another_is_no_finished_search(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "bops"
    shutil.copytree(searched / "bops_0", out)
    found = read_found(out)
    monkeypatch.setattr(results, "resolved_yaml", None)
    with pytest.raises(TypeError, match="callable"):
        write_found(out, replace(found, front=found.front[:1]), load_accelerator("packed_w4_32x32"))
    with pytest.raises(InputError, match="is no finished search"):
        read_found(out)


def test_an_accelerator_that_cannot_run_the_model_is_refused_before_any_long_work(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise InputError("arrays.0", "serves no mode")

    settings = read_found(searched / "bops_0").settings
    subject, out = open_subject(settings, tmp_path / "fresh.jsonl"), tmp_path / "out"
    monkeypatch.setattr("mixarray_analysis.search.hardware.simulate_cost", refuses)
    with pytest.raises(InputError, match="serves no mode"):
        run_search(subject, settings, LIMITS, Reached.start(0), out, lambda line: None, quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_a_search_is_not_written_over_another(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(searched / "bops_0")
    assert main(["search", *SMALL, "--objective", "cycles", "-o", str(searched / "bops_0")]) == 2
    assert "--resume goes on with it" in capsys.readouterr().err
    assert main(["search", "--resume", str(searched / "bops_0"), "--generations", "1"]) == 2
    assert "fewer than the 2 that were searched already" in capsys.readouterr().err
    assert contents(searched / "bops_0") == before
