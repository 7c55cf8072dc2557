"""The driver: what exists is not run again, what was stopped goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from mixarray.errors import InputError
from mixarray_analysis.reproduction.drive import chosen, drive, is_needed
from mixarray_analysis.reproduction.runs import SEARCH_BUDGET, Places, Run, every_run

from .conftest import plain_accuracy, write_evaluation

TOLD = {"budget_images": 100, "batch": 4}


@dataclass
class Fake:
    """Makes the file that a run promises, unless it is to fail; notes the words behind the program's own."""

    places: Places
    fails: str = ""
    calls: list[list[str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def execute(self, words: list[str]) -> int:
        self.calls.append(words[3:])
        out = words[words.index("--resume" if "search" in words and "--resume" in words else "-o") + 1]
        run = next(run for run in every_run() if self.out(run) == out)
        if run.name == self.fails:
            return 2
        if run.n:
            write_evaluation(self.places.results, run, plain_accuracy, self.places.n)
            return 0
        made = Path(self.places.fill(run.makes))
        for file in (made, *(Path(self.places.fill(source)) for source, _ in run.keeps)):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"training": [TOLD], "rest": 0}), encoding="utf-8")
        return 0

    def out(self, run: Run) -> str:
        return self.places.fill(run.words[run.words.index("-o") + 1])

    def drive(self, *only: str, most: int | None = None) -> bool:
        return drive(every_run(), self.places, self.execute, self.said.append, only, most)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(Places(tmp_path / "work", tmp_path / "docs" / "reproduction" / "results", 10, 100, 4))


def test_nothing_is_run_twice(fake: Fake) -> None:
    assert fake.drive("repq_vit")
    first = len(fake.calls)
    assert first == 8
    assert fake.drive("repq_vit")
    assert len(fake.calls) == first


def test_a_result_on_fewer_canvases_is_made_again(fake: Fake) -> None:
    assert fake.drive("shipped/ratios")
    more = Fake(Places(fake.places.work, fake.places.results, 20, 100, 4))
    assert more.drive("shipped/ratios")
    assert "--force" in more.calls[0]
    fewer = Fake(Places(fake.places.work, fake.places.results, 5, 100, 4))
    assert fewer.drive("shipped/ratios")
    assert fewer.calls == []


def test_what_the_page_needs_of_a_model_is_kept(fake: Fake) -> None:
    assert fake.drive("uniform_s0")
    kept = fake.places.results / "uniform_s0" / "training.json"
    assert json.loads(kept.read_text(encoding="utf-8")) == [TOLD]


def test_a_new_scratch_directory_is_filled_only_for_what_is_missing(fake: Fake, tmp_path: Path) -> None:
    trained = "uniform_s0", "control_s0", "saa_s0", "joint_s0", "saqa_s0", "annealing_s0"
    runs, asked = every_run(), (*trained, "repq_vit", "bops_s0")
    assert fake.drive(*asked)
    elsewhere = Fake(replace(fake.places, work=tmp_path / "elsewhere"))
    needed = {run.name for run in runs if is_needed(run, runs, elsewhere.places)}
    assert not {name for name in needed if name.split("/")[0] in asked}
    (fake.places.results / "annealing_s0" / "ratios.csv").unlink()
    again = {run.name for run in runs if is_needed(run, runs, elsewhere.places)} - needed
    assert again == {"uniform_s0", "saqa_s0", "annealing_s0", "annealing_s0/ratios"}
    assert elsewhere.drive("repq_vit")
    assert [words[0] for words in elsewhere.calls] == ["quantize"]


def test_stopped_trainings_and_searches_go_on(fake: Fake) -> None:
    for name, file in (("uniform_s0", "checkpoint.pt"), ("search/bops_s0", "checkpoint.json")):
        (fake.places.work / name).mkdir(parents=True)
        (fake.places.work / name / file).touch()
    assert fake.drive("uniform_s0", "bops_s0")
    assert fake.calls[0][-1] == "--resume"
    limits = SEARCH_BUDGET[2:]
    assert limits[::2] == ("--generations", "--evaluations")
    assert fake.calls[-1] == ["search", "--resume", str(fake.places.work / "search" / "bops_s0"), *limits]


def test_a_failure_is_named_and_stops_only_what_needs_it(fake: Fake) -> None:
    fake.fails = "uniform_s0"
    assert not fake.drive("uniform_s0", "saqa_s0", "uniform_s1")
    assert "failed: uniform_s0" in fake.said
    assert "left out: saqa_s0, which needs uniform_s0" in fake.said
    assert (fake.places.work / "uniform_s1" / "model" / "manifest.json").exists()


def test_trainings_of_another_budget_are_refused(fake: Fake) -> None:
    assert fake.drive("uniform_s1", "uniform_s1/ratios")
    other = Fake(replace(fake.places, images=200))
    with pytest.raises(InputError, match="holds a training on 100 canvases, 4 a step"):
        other.drive("uniform_s1/ratios")
    assert other.drive("shipped/ratios")


def test_the_time_of_a_command_is_noted_unless_it_was_resumed(fake: Fake) -> None:
    (fake.places.work / "uniform_s0").mkdir(parents=True)
    (fake.places.work / "uniform_s0" / "checkpoint.pt").touch()
    assert fake.drive("uniform_s0", "uniform_s1")
    timed = (fake.places.results / "times.csv").read_text(encoding="utf-8").splitlines()
    assert "uniform_s1,0" in timed
    assert "uniform_s0,0" not in timed


def test_so_many_commands_at_most(fake: Fake) -> None:
    assert not fake.drive("repq_vit", most=2)
    assert len(fake.calls) == 2


def test_a_name_that_no_run_has_is_refused() -> None:
    with pytest.raises(InputError, match="'repq'"):
        chosen(every_run(), ["repq"])
