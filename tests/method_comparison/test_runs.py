"""The runs behind the page: in an order that can be run, each once, with words that the commands know."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mixarray.errors import InputError
from mixarray_analysis.allocating.progress import CHECKPOINT
from mixarray_analysis.method_comparison.results import every_model, every_shape
from mixarray_analysis.method_comparison.runs import MODULE, every_run
from mixarray_analysis.method_comparison.timing import read_quantized, timed_call
from mixarray_analysis.reproduction.drive import drive, words_to_run
from mixarray_analysis.reproduction.runs import Places, command_line

from .conftest import write_accuracy

RUNS = every_run()


def test_names_are_unique_and_needs_come_first() -> None:
    seen: set[str] = set()
    for run in RUNS:
        assert run.name not in seen
        assert seen.issuperset(run.needs)
        seen.add(run.name)


def test_every_row_has_its_runs() -> None:
    names = {run.name for run in RUNS}
    assert names.issuperset(f"{model}/{what}" for model in every_model() for what in ("accuracy", "costs"))
    assert names.issuperset(f"{shape}/costs" for shape in every_shape())


def test_a_precision_is_run_in_the_same_way_for_every_method() -> None:
    bits: dict[str, set[str]] = {}
    for run in RUNS:
        if run.words[0] == "quantize":
            at = run.words.index("--weight-bits")
            bits.setdefault(run.name.rpartition("_")[2], set()).add(" ".join(run.words[at : at + 6]))
    assert bits["w4a4"] == {"--weight-bits 4 --high-bits 4 --low-bits 3"}
    assert bits["w6a6"] == {"--weight-bits 6 --high-bits 6 --low-bits 4"}
    assert all(len(found) == 1 for found in bits.values())


@dataclass
class Fake:
    """Makes what a command promises."""

    places: Places
    calls: list[list[str]] = field(default_factory=list)

    def execute(self, words: list[str]) -> int:
        self.calls.append(words[2:])
        out = words[words.index("-o") + 1]
        run = next(run for run in RUNS if self.places.fill(run.words[run.words.index("-o") + 1]) == out)
        for file in (run.makes, *(source for source, _ in run.keeps)):
            made = Path(self.places.fill(file))
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_text("{}", encoding="utf-8")
        if run.n:
            write_accuracy(self.places.results, run.name.partition("/")[0], 0.5, self.places.n)
        return 0


def test_a_model_is_made_measured_and_costed_once(tmp_path: Path) -> None:
    fake = Fake(Places(tmp_path / "work", tmp_path / "methods" / "results", 10))
    for _ in range(2):
        assert drive(RUNS, fake.places, fake.execute, lambda line: None, ["repq_vit_w4a4"])
    assert [call[0] for call in fake.calls] == [*["mixarray_analysis"] * 3, MODULE]
    assert [call[1] for call in fake.calls] == ["quantize", "evaluate", "record", "cost"]
    kept = sorted(path.name for path in (fake.places.results / "repq_vit_w4a4").iterdir())
    assert kept == ["accuracy.csv", "accuracy.resamples.csv", "costs.csv", "quantized.json"]


def test_mixed_bits_wait_for_their_greedy(tmp_path: Path) -> None:
    fake = Fake(Places(tmp_path / "work", tmp_path / "methods" / "results", 10))
    said: list[str] = []
    assert not drive(RUNS, fake.places, fake.execute, said.append, ["aiqvit_merged_mixed_5"])
    assert not fake.calls
    assert said[0] == "left out: aiqvit_merged_mixed_5, which needs allocation_repq_vit"
    assert drive(RUNS, fake.places, fake.execute, said.append, ["allocation_repq_vit", "aiqvit_merged_mixed_5"])


def test_a_stopped_allocation_goes_on(tmp_path: Path) -> None:
    fake = Fake(Places(tmp_path / "work", tmp_path / "methods" / "results", 10))
    out = fake.places.work / "allocation_repq_vit"
    run = next(run for run in RUNS if run.name == out.name)
    assert words_to_run(run, fake.places)[:3] == ["allocate", "--objective", "bits"]
    out.mkdir(parents=True)
    (out / CHECKPOINT).write_text("{}", encoding="utf-8")
    assert words_to_run(run, fake.places) == ["allocate", "--resume", str(out)]


def test_commands_are_printed_as_typed() -> None:
    places = Places(Path("work"), Path("results"), 10)
    lines = {run.name: command_line(run, places) for run in RUNS}
    assert lines["repq_vit_w4a4/trace"].startswith("mixarray record --model work/repq_vit_w4a4 ")
    assert lines["repq_vit_w4a4/costs"].startswith(f"python -m {MODULE} cost work/bundles/repq_vit_w4a4 ")


SLOW_QUANTIZE = """
import json, pathlib, sys, time
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
out = pathlib.Path(sys.argv[-1])
out.mkdir(parents=True)
options = {"calibration_canvases": 4, "calibration_size": 64, "seed": 3}
(out / "manifest.json").write_text(json.dumps({"options": options}))
sys.exit(len(sys.argv) > 4)
"""


def test_a_quantization_leaves_what_it_took(tmp_path: Path) -> None:
    out = tmp_path / "model"
    assert timed_call([sys.executable, "-c", SLOW_QUANTIZE, "quantize", "-o", str(out)]) == 0
    took = read_quantized(tmp_path / "seconds" / "model.json")
    assert 0.3 <= took.processor_seconds < 10
    assert (took.calibration_canvases, took.calibration_px, took.seed) == (4, 64, 3)


def test_a_failed_quantization_leaves_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SLOW_QUANTIZE, "quantize", "wrong", "-o", str(tmp_path / "model")]
    assert timed_call(words) == 1
    assert not (tmp_path / "seconds").exists()


def test_other_files_are_no_times(tmp_path: Path) -> None:
    path = tmp_path / "quantized.json"
    path.write_text(json.dumps({"processor_seconds": 1}), encoding="utf-8")
    with pytest.raises(InputError, match="does not say"):
        read_quantized(path)
