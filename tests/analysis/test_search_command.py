"""The commands of a search: every mistake is one line and leaves nothing behind; an enumeration is written and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixarray.errors import InputError
from mixarray_analysis.cli import main
from mixarray_analysis.search.command import CACHE
from mixarray_analysis.search.exhaustive import Everything
from mixarray_analysis.search.hardware import Cost
from mixarray_analysis.search.progress import CHECKPOINT
from mixarray_analysis.search.settings import Settings
from mixarray_analysis.search.space import Space


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--objective", "speed", "-o", "new"), "allowed: bops, cycles, energy, edp"),
        (("-o", "new"), "--objective: is needed"),
        (("--objective", "cycles"), "--out: is needed"),
        (("--objective", "cycles", "--population", "5", "-o", "new"), "even numbers from 4"),
        (("--objective", "cycles", "--evaluations", "3", "-o", "new"), "fewer than the first generation's"),
        (("--objective", "cycles", "--n", "1", "-o", "new"), "--n: 1 canvases have no interval"),
        (("--objective", "cycles", "--final-seed", "0", "-o", "new"), "canvases that the search itself saw"),
        (("--objective", "cycles", "--size", "128", "-o", "new"), "pads the windows"),
        (("--objective", "cycles", "-a", "no_such", "-o", "new"), "no_such"),
        (("--resume", "nowhere"), "there is no search to resume"),
        (("enumerate", "--objective", "bops", "-o", "new"), "allowed: cycles, energy, edp"),
        (("enumerate", "--evaluations", "4", "-o", "new"), "--evaluations: 4 settings are fewer"),
        (("enumerate", "--population", "3", "-o", "new"), "--population: 3 is not possible"),
        (("--seed", "3", "compare", "nowhere", "-o", "new"), "seed stands before it"),
        (("--resume", "nowhere", "--seed", "3"), "leave out what sets seed"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["search", *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("typed", "cache", "jobs"), [((), CACHE, 1), (("--cache", "mine", "--jobs", "3"), "mine", 3)])
def test_how_a_search_is_done_reaches_it(
    typed: tuple[str, ...], cache: str, jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Path, int]] = []

    def stop(settings: Settings, cache: Path, jobs: int) -> None:
        opened.append((cache, jobs))
        raise InputError(settings.accelerator, "is far enough for this test")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mixarray_analysis.search.command.open_subject", stop)
    assert main(["search", "--objective", "cycles", "-o", "new", *typed]) == 2
    assert opened == [(Path(cache), jobs)]


def test_a_broken_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / CHECKPOINT).write_text('{"format": "something else"}')
    assert main(["search", "--resume", str(tmp_path)]) == 2
    assert "is no checkpoint of a search" in capsys.readouterr().err


@pytest.fixture
def invented_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs without a simulation: bit operations of the first pair cost no cycles."""

    def invented(machine: object, model: str, space: Space, *_: object) -> Everything:
        costs = {genes: Cost(1000 - sum(genes), 1000 - 7 * sum(genes[1:]), 1.0, 1.0) for genes in space.every()}
        return Everything(costs, 220, 40)

    monkeypatch.setattr("mixarray_analysis.search.enumerating.every_cost", invented)


@pytest.mark.usefixtures("invented_costs")
def test_an_enumeration_tells_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = ("search", "enumerate", "--generations", "1", "--seeds", "1", "--json", "-o", str(tmp_path))
    assert main(typed) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "distances.json").read_text())


@pytest.mark.usefixtures("invented_costs")
def test_an_enumeration_is_written_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "space"
    typed = ("enumerate", "--generations", "2", "--seeds", "2", "-o", str(out))
    assert main(["search", *typed]) == 0
    said = capsys.readouterr().out
    assert "13,365 settings from 220 simulations (sums of their stages, 40 checked)" in said
    assert len(said.splitlines()) == 5
    found = json.loads((out / "distances.json").read_text())
    # the dearest choice: 0.8 of the first pair given away for nothing, where the other four could still take 0.8 more
    assert found["misled"]["most"] == pytest.approx((1000 - 7 * 24) / (1000 - 7 * 32) - 1)
    assert [one["seed"] for one in found["distances"]] == [0, 1]
    assert all(0 < one["hypervolume_ratio"] < 1 for one in found["distances"])
    assert len((out / "space.csv").read_text().splitlines()) == 1 + 13365
    assert main(["search", *typed]) == 2
