"""The two engines on the same Schedules in one run: Swin-T from 224x224 to 1344x1344, half of the windows low.

For each size: the event engine, once; mapping, and its last part alone (the tables of the Schedule); the fast engine
with all that it does (`run_fast`), the two parts of that (what is prepared once per Schedule; the run itself), and the
same with its timeline; each the best of several calls, compiled before. Memory is the most that Python and NumPy had
allocated at once in one call. The event engine judges the answer of the fast one. The first compilation, in a fresh
process with an empty cache, is apart. Needs no bundle.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from csv_table import new_file, positive, write_csv

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.digest import execution_sha256
from mixarray.engine.event import run_event
from mixarray.engine.fast import prepare, run_fast, run_prepared, walked_jobs
from mixarray.engine.timeline import Execution
from mixarray.mapping.build import build_schedule
from mixarray.mapping.tabulate import make_tables
from mixarray.trace.bundle import read_bundle
from mixarray.trace.workload import Workload
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import shape_named

MACHINE, MODEL, RATIO = "packed_w4_32x32", "swin_t", 500
SIZES = ((224, 224), (448, 448), (672, 672), (800, 1333), (896, 896), (1120, 1120), (1344, 1344))
CALLS, FEW_CALLS = 7, 3
FIRST_CALL = """
import time
from mixarray.engine.fast import run_fast
from mixarray.mapping.schedule import Schedule
start = time.process_time()
run_fast(Schedule(("unit",), ()), 0)
print(time.process_time() - start)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One call on one Schedule. walked_jobs: those visited one by one. Seconds are those of the best call."""

    height: int
    width: int
    stored_jobs: int
    jobs: int
    call: str
    walked_jobs: int
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    jobs_per_cpu_second: float
    event_takes_times: float


def best_seconds(call: Callable[[], object], calls: int) -> tuple[float, float]:
    """The shortest wall time of a call, and the shortest CPU time."""
    walls, cpus = [], []
    for _ in range(calls):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def peak_bytes(call: Callable[[], object]) -> int:
    """The most that one more call had allocated at once: tracing is slow, so it is not the one that is timed."""
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def compile_seconds() -> float:
    """CPU seconds of the fast engine's first call where nothing is cached."""
    with TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache}
        done = subprocess.run(
            [sys.executable, "-c", FIRST_CALL], env=environment, capture_output=True, text=True, check=True
        )
    return float(done.stdout)


def record(height: int, width: int) -> Workload:
    """One image with random scores."""
    with TemporaryDirectory() as place:
        random_bundle(shape_named(MODEL), height, width, RATIO, 0, Path(place) / "bundle")
        return read_bundle(Path(place) / "bundle").workload(0)


def measure(height: int, width: int) -> list[Measured]:
    """All calls on one Schedule; stops where the engines do not agree."""
    workload, accelerator = record(height, width), load_accelerator(MACHINE)
    schedule, operators = build_schedule(workload, accelerator), len(workload.operators)
    prepared = prepare(schedule, operators)
    answers: list[Execution] = []
    jobs, walked = schedule.total_jobs, walked_jobs(schedule)
    calls: tuple[tuple[str, int, int, Callable[[], object]], ...] = (
        ("event", 1, jobs, lambda: answers.append(run_event(schedule, operators))),
        ("mapping", FEW_CALLS, 0, lambda: build_schedule(workload, accelerator)),
        ("mapping: tables", CALLS, 0, lambda: make_tables(schedule)),
        ("fast", CALLS, walked, lambda: run_fast(schedule, operators)),
        ("fast: prepare", CALLS, 0, lambda: prepare(schedule, operators)),
        ("fast: run prepared", CALLS, walked, lambda: run_prepared(prepared)),
        ("fast with timeline", CALLS, jobs, lambda: run_fast(schedule, operators, with_timeline=True)),
    )
    rows: list[Measured] = []
    for name, times, visited, call in calls:
        wall, cpu = best_seconds(call, times)
        event = rows[0].cpu_seconds if rows else cpu
        size = height, width, schedule.stored_jobs, jobs
        rows.append(Measured(*size, name, visited, wall, cpu, peak_bytes(call), jobs / cpu, event / cpu))
    if execution_sha256(answers[0]) != execution_sha256(run_prepared(prepared)):
        raise SystemExit("the engines do not agree")
    return rows


def print_rows(rows: Sequence[Measured]) -> None:
    """One Schedule's part of the table."""
    first = rows[0]
    print(f"{MODEL} {first.height}x{first.width}: {first.stored_jobs:,} stored jobs, {first.jobs:,} that run")
    for row in rows:
        spent = f"{1000 * row.wall_seconds:9,.1f} ms wall {1000 * row.cpu_seconds:9,.1f} ms CPU"
        speed = f"{row.jobs_per_cpu_second:13,.0f} jobs/s {row.event_takes_times:8,.1f} x"
        print(
            f"  {row.call:<19}{row.walked_jobs:>10,} walked {spent} {speed} {row.peak_bytes / 2**20:7.1f} MiB",
            flush=True,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=positive, help="only the N smallest images (default: all)")
    parser.add_argument("--csv", type=new_file, help="write the measurements here too")
    options = parser.parse_args(arguments)
    print(f"first compilation {compile_seconds():.1f} s CPU", flush=True)
    rows: list[Measured] = []
    for height, width in SIZES[: options.sizes]:
        one = measure(height, width)
        print_rows(one)
        rows += one
    if options.csv:
        write_csv(rows, options.csv)


if __name__ == "__main__":
    main()
