"""`mixarray allocate` on the toy: files, stopping and going on, comparing, what is refused."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch

from mixarray_analysis.allocating import command as command_module
from mixarray_analysis.allocating import progress
from mixarray_analysis.allocating import subject as subject_module
from mixarray_analysis.allocating.compare import cheapest, open_pairs
from mixarray_analysis.allocating.costs import Objective
from mixarray_analysis.allocating.greedy import Problem, Reached
from mixarray_analysis.allocating.results import read_found
from mixarray_analysis.cli import main
from mixarray_traces.model.config import DetectorConfig, SwinConfig
from mixarray_traces.model.detector import build_detector
from mixarray_traces.quantization.allocation import read_allocation

CONFIG = DetectorConfig(SwinConfig(embed_dim=8, depths=(1, 1), num_heads=(1, 2), mlp_ratio=2), 8, 8)
SMALL = ("--n", "1", "--size", "56", "--input", "56", "--quiet")
FILES = ("allocation.json", "steps.csv", "layers.csv", "report.txt", "allocate.json", "checkpoint.json", "path.csv")


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrained detector of two blocks in place of the shipped model."""
    torch.manual_seed(5)
    detector = build_detector(CONFIG).eval()
    for module in (command_module, subject_module):
        monkeypatch.setattr(module, "load_checkpoint", lambda path: detector)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all allocations of this file lie, with one file of losses."""
    return tmp_path_factory.mktemp("allocations")


def allocated(place: Path, objective: str, *more: str) -> Path:
    """An allocation of the toy, begun where there is none yet."""
    out = place / f"{objective}{''.join(more)}"
    if not (out / "allocate.json").exists():
        assert main(["allocate", "--objective", objective, "-o", str(out), *SMALL, *more]) == 0
    return out


def test_files_and_the_goal(place: Path) -> None:
    out = allocated(place, "bits", "--average-bits", "7.8")
    rows = list(csv.DictReader((out / "steps.csv").open()))
    averages = [float(row["average_bits"]) for row in rows]
    assert averages[-1] <= 7.8 < averages[-2]
    assert [int(row["step"]) for row in rows] == list(range(len(rows)))
    allocation = read_allocation(out / "allocation.json")
    widths = [*allocation.weights.values(), *allocation.activations.values()]
    assert sum(widths) / len(widths) == pytest.approx(averages[-1])
    assert (out / "path.png").stat().st_size > 0
    said = (out / "report.txt").read_text()
    assert "runs at 8x8 bits" in said
    assert "rounding up to a mode ate" in said


def test_a_killed_allocation_ends_as_one_that_ran_straight(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = allocated(place, "bits", "--average-bits", "7.8")
    killed = place / "killed"
    steps, whole = 0, progress.take_step

    def dies(problem: Problem, reached: Reached) -> Reached | None:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise KeyboardInterrupt
        return whole(problem, reached)

    monkeypatch.setattr(progress, "take_step", dies)
    begun = ["allocate", "--objective", "bits", "--average-bits", "7.8", "-o", str(killed), *SMALL]
    assert main(begun) == 130
    assert len(json.loads((killed / "checkpoint.json").read_text())["taken"]) == 2
    assert not (killed / "allocate.json").exists()
    monkeypatch.setattr(progress, "take_step", whole)
    assert main(["allocate", "--resume", str(killed), "--quiet", "--cache", str(place / "other.jsonl")]) == 0
    for name in FILES:
        assert (killed / name).read_bytes() == (straight / name).read_bytes(), name


def test_a_forgotten_step_is_seen(place: Path) -> None:
    straight = allocated(place, "bits", "--average-bits", "7.8")
    changed = place / "changed"
    shutil.copytree(straight, changed)
    saved = json.loads((changed / "checkpoint.json").read_text())
    saved["taken"] = saved["taken"][:-2]
    (changed / "checkpoint.json").write_text(json.dumps(saved))
    assert main(["allocate", "--resume", str(changed), "--quiet"]) == 0
    assert (changed / "steps.csv").read_bytes() != (straight / "steps.csv").read_bytes()


def test_compare(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = allocated(place, "bits", "--average-bits", "7.8"), allocated(place, "bops", "--budget", "0.96")
    out = place / "compared"
    assert main(["allocate", "compare", str(one), str(other), "-o", str(out), "--force"]) == 0
    assert "greedy by bops against greedy by bits" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {"compare.csv", "paths.png", "paths.pdf", "paths.csv"}
    (pair,) = open_pairs([one, other])
    rows = pair.by_bits.steps
    loss = sorted(row.loss for row in rows)[len(rows) // 2]
    best = cheapest(rows, loss, Objective.CYCLES)
    assert best.loss <= loss * (1 + 1e-9)
    assert not [row for row in rows if row.loss <= loss and row.cycles < best.cycles]
    assert main(["allocate", "compare", str(one), "-o", str(place / "none")]) == 2
    assert main(["allocate", "compare", str(other), "-o", str(place / "none")]) == 2
    assert read_found(one).settings.objective is Objective.BITS


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--objective", "joules"), "--objective"),
        (("--objective", "bits", "--lowest", "2"), "--lowest"),
        (("--objective", "bits", "--average-bits", "3.5"), "--average-bits"),
        (("--objective", "bits", "--average-bits", "5.00001"), "three decimals"),
        (("--objective", "bits", "--average-bits", "inf"), "--average-bits"),
        (("--objective", "bits", "--budget", "nan"), "--budget"),
        (("--objective", "bits", "--budget", "1.5"), "--budget"),
        (("--objective", "bits", "--method", "ofq"), "--method"),
        (("--objective", "bits", "--rescore", "never"), "--rescore"),
        (("--objective", "bits", "--input", "60"), "--input"),
        (("--resume", "nowhere"), "cannot be read"),
        (("--resume", "nowhere", "--objective", "bits"), "leave out what sets objective"),
        ((), "--objective"),
    ],
)
def test_refused(typed: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = () if "--resume" in typed else ("-o", str(tmp_path / "out"))
    assert main(["allocate", *typed, *out, "--n", "1", "--size", "56"] if out else ["allocate", *typed]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("below", [(), ("inside",)])
def test_a_file_is_no_directory(below: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("kept")
    out = tmp_path.joinpath("file", *below)
    assert main(["allocate", "--objective", "bits", "-o", str(out), *SMALL, "--force"]) == 2
    assert "--out: cannot be written" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "kept"


def test_what_cannot_begin_replaces_nothing(place: Path) -> None:
    out = allocated(place, "bits", "--average-bits", "7.8")
    before = (out / "allocate.json").read_bytes()
    typed = ["allocate", "--objective", "bits", "-o", str(out), "--n", "1", "--size", "56", "--force"]
    assert main([*typed, "--input", "60"]) == 2
    assert (out / "allocate.json").read_bytes() == before


def test_another_result_is_not_replaced(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = allocated(place, "bits", "--average-bits", "7.8")
    assert main(["allocate", "--objective", "bits", "-o", str(out), *SMALL]) == 2
    assert "--resume goes on with it, --force replaces it" in capsys.readouterr().err
