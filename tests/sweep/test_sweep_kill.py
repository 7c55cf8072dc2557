"""Processes killed again and again: only points in flight are lost, and the end is that of a run nobody killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from math import inf
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from mixarray_analysis.sweeps import writing
from mixarray_analysis.sweeps.api import read_sweep
from mixarray_analysis.sweeps.evaluating import Evaluator
from mixarray_analysis.sweeps.rows import Row
from mixarray_analysis.sweeps.running import run_sweep
from mixarray_analysis.sweeps.spec import SweepSpec
from mixarray_analysis.sweeps.store import data_files
from mixarray_analysis.sweeps.writing import Writer, journals, read_journal

Make = Callable[..., SweepSpec]
PATIENCE_SECONDS = 120.0
MOST_RESULTS = 20
"""Of one killed sweep, however fast its machine: what a grid must hold for each kill, so that none of them ends."""
DEADLY = """
import os
import sys
from pathlib import Path
from mixarray_analysis.cli import main
from mixarray_analysis.sweeps.evaluating import Evaluator

result = Evaluator.result
deadly_mhz, once = int(sys.argv[1]), Path("once")


def deadly(self, groups):
    mhz = self._machine.accelerator.clock_mhz
    if mhz == deadly_mhz and groups != self._model.all_high:
        os._exit(9)
    if mhz == 110 and not once.exists():
        once.touch()
        os._exit(9)
    return result(self, groups)


Evaluator.result = deadly
if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))
"""
"""A sweep whose processes die of ratio 0.5 at one clock, and once at 110 MHz."""


def grid(clocks: int) -> dict[str, object]:
    """Two points per clock, of which no two run the same."""
    return {"clock_mhz": {"from": 101, "to": 100 + clocks, "step": 1}, "ratio": [0, 0.5]}


def points_in_parts(directory: Path) -> set[str]:
    """Read as a stranger would, while the sweep writes."""
    folder = directory / "points"
    return (
        set(ds.dataset(folder, format="parquet").to_table(["point"])["point"].to_pylist())
        if any(folder.glob("*.parquet"))
        else set()
    )


def points_on_disk(directory: Path) -> set[str]:
    held = (row[0] for path in journals(directory / "points") for row in read_journal(path))
    return points_in_parts(directory).union(held)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.001)


def workers_of(process: int) -> list[str]:
    """Its processes that work on points, by number."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def evaluate(spec: SweepSpec, out: Path, log: Path, results: int, pause_seconds: float, faulty: bool) -> None:
    """A sweep in a process of its own: a byte in `log` for each result, and an end some time after so many of them.

    That end is the default action of SIGALRM, as abrupt as that of `kill -9`: no code of the process runs.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    left = results
    with log.open("ab", buffering=0) as file:
        real = Evaluator.result

        def noted(self: Evaluator, groups: Any) -> Row:
            nonlocal left
            found = real(self, groups)
            file.write(b".")
            left -= 1
            if left == 0:
                signal.setitimer(signal.ITIMER_REAL, pause_seconds)
            if left == results - MOST_RESULTS:
                signal.pause()
            return found

        Evaluator.result = noted  # type: ignore[method-assign]
        if faulty:
            writing.PART_SECONDS = inf
            Writer.add = lambda self, row: self._rows.append(row)  # type: ignore[method-assign]
        run_sweep(spec, out)


def run_and_kill(spec: SweepSpec, out: Path, log: Path, chance: random.Random, faulty: bool = False) -> int:
    """End a sweep at a random moment after a few results; returns how many there were."""
    log.touch()
    before = log.stat().st_size
    process = ForkProcess(
        target=evaluate, args=(spec, out, log, chance.randint(3, 6), 1e-6 + chance.random() * 0.01, faulty)
    )
    process.start()
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == -signal.SIGALRM
    return log.stat().st_size - before


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.full)])
def test_a_sweep_killed_repeatedly_loses_points_in_flight_alone(kills: int, make_spec: Make, tmp_path: Path) -> None:
    spec, out, log = make_spec(grid=grid(clocks=MOST_RESULTS * kills // 2 + 1)), tmp_path / "killed", tmp_path / "log"
    straight = run_sweep(spec, tmp_path / "straight")  # what it compiles the killed ones find ready
    chance = random.Random(0)
    seen: set[str] = set()
    for round_number in range(kills):
        results = run_and_kill(spec, out, log, chance)
        left = points_on_disk(out)
        assert seen < left, f"round {round_number}: what was there stays, and more came"
        assert 0 <= results - len(left - seen) <= 1, f"round {round_number}: one process has one point in flight"
        assert not (out / "sweep.json").exists()
        seen = left
    resumed = run_sweep(spec, out)
    assert resumed.computed == resumed.findings.done - len(seen) > 0, "what was finished is not computed again"
    assert resumed.findings == straight.findings
    for name in ("points/points.parquet", "sweep.json", "spec.json"):
        assert (out / name).read_bytes() == (tmp_path / "straight" / name).read_bytes()
    assert sorted(path.name for path in out.rglob("*")) == [
        ".lock",
        "points",
        "points.parquet",
        "spec.json",
        "sweep.json",
    ]


def test_rows_that_are_in_no_journal_would_be_missed(make_spec: Make, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    results = run_and_kill(make_spec(grid=grid(clocks=30)), out, tmp_path / "log", random.Random(0), faulty=True)
    assert results - len(points_on_disk(out)) > 1, "the planted fault"


@pytest.mark.full
def test_processes_end_with_the_one_that_started_them(make_spec: Make, tmp_path: Path) -> None:
    file, out = tmp_path / "spec.json", tmp_path / "sweep"
    file.write_text(json.dumps(make_spec(grid={"arrays.0.rows": {"from": 1, "to": 2000, "step": 1}}).to_data()))
    command = [sys.executable, "-m", "mixarray_analysis", "sweep", str(file), "-o", str(out)]

    def started(jobs: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command, "-j", str(jobs)])

    process = started(2)
    wait_for(lambda: len(data_files(out)) > 0)
    workers = workers_of(process.pid)
    assert len(workers) == 2
    process.kill()
    process.wait()
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    known = points_on_disk(out)
    second = started(1)
    # Parts alone: a journal goes while the process that it belongs to makes a part of it.
    wait_for(lambda: points_in_parts(out) > known)
    second.kill()
    second.wait()


def test_a_point_that_its_process_dies_of_is_a_failed_row_and_others_go_on(make_spec: Make, tmp_path: Path) -> None:
    """In the middle of a range, with rows before it in a journal; what a process dies of once is computed after."""
    spec = make_spec(grid=grid(clocks=40))
    (tmp_path / "spec.json").write_text(json.dumps(spec.to_data()))
    (tmp_path / "deadly.py").write_text(DEADLY)

    def run(deadly_mhz: int, out: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "deadly.py", str(deadly_mhz), "sweep", "spec.json", "-o", out, "-j", "2"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    done = run(122, "sweep")
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "80 points: 80 rows; 1 failed"
    assert lines[1].startswith("80 computed now")
    assert "its process died (exit code 9)" in lines[2]
    frame = read_sweep(tmp_path / "sweep").to_pandas().set_index(["clock_mhz", "setting"])
    assert list(frame[frame["status"] == "failed"].index) == [(122, "0.5")]
    assert frame["cycles"].notna().sum() == 79
    assert sorted(path.name for path in (tmp_path / "sweep" / "points").iterdir()) == ["points.parquet"]
    assert run(122, "sweep").stdout.splitlines()[1] == "0 computed now; 80 were finished before"
    assert run(0, "whole").returncode == 0
    others = run_sweep(spec, tmp_path / "straight").findings
    assert (others.done, others.failed) == (80, 0)
    assert (tmp_path / "whole" / "points" / "points.parquet").read_bytes() == (
        tmp_path / "straight" / "points" / "points.parquet"
    ).read_bytes()


def test_processes_that_die_before_they_begin_end_the_sweep(make_spec: Make, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(make_spec(grid=grid(clocks=2)).to_data()))
    (tmp_path / "dead.py").write_text(
        "import os, sys\n"
        "from mixarray_analysis.cli import main\n"
        "if __name__ == '__main__':\n    sys.exit(main(['sweep', 'spec.json', '-o', 'sweep', '-j', '2']))\n"
        "os._exit(5)"
    )
    done = subprocess.run([sys.executable, "dead.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: --jobs: a process ended before its work was done (exit code 5)" in done.stderr


@pytest.mark.parametrize(
    ("seconds", "workers"), [(0, 1), (0.1, 2), (0.6, 2), pytest.param(2, 2, marks=pytest.mark.full)]
)
def test_ctrl_c_is_one_word_whenever_it_comes(seconds: float, workers: int, make_spec: Make, tmp_path: Path) -> None:
    """As on a terminal, to the sweep and its processes together: at the first, while both start, while they work."""
    (tmp_path / "spec.json").write_text(json.dumps(make_spec(grid=grid(clocks=2000)).to_data()))
    process = subprocess.Popen(
        [sys.executable, "-m", "mixarray_analysis", "sweep", "spec.json", "-o", "sweep", "-j", "2"],
        cwd=tmp_path,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: len(workers_of(process.pid)) >= workers)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=PATIENCE_SECONDS) == ("", "stopped\n")
    assert process.returncode == 130
