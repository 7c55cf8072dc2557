"""Speed beside SCALE-Sim 3.0.0: every distinct GEMM of Swin-T at 224 x 224 on a 32 x 32 weight-stationary array.

In one run, on one machine: SCALE-Sim in its own environment (its simulation alone, without starting Python), our array
model expanding every event of the array, our mapping and each engine on the whole accelerator, the fast engine alone on
what is mapped and prepared, and SCALE-Sim's rule in closed form. They answer different questions: see
docs/benchmarks.md. Needs `make peers`; the whole list takes minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from csv_table import new_file, positive, write_csv

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.scalesim_config import ScaleSimConfig, read_scalesim_config
from mixarray.array.fold import RowRun
from mixarray.array.problem import Problem, expand
from mixarray.engine.event import run_event
from mixarray.engine.fast import prepare, run_fast, run_prepared
from mixarray.mapping.build import build_schedule
from mixarray.mapping.schedule import Schedule
from mixarray.timing.scalesim import scalesim_timing
from mixarray.trace.scalesim_topology import Form, TopologyLayer, read_topology
from mixarray.trace.workload import single_gemm
from mixarray_analysis.validation.scalesim.golden import TOPOLOGY_SUFFIX, golden_dir
from mixarray_analysis.validation.scalesim.peer import SCALESIM, Question, Reply, ask, peer_python
from mixarray_analysis.validation.scalesim.questions import topology_text

GOLDEN = "scalesim_3.0.0_ws_32x32"
MACHINE, BITS = "plain_int8_32x32", 8
COLUMNS = ("array model", "event engine", "fast engine", "fast, run", "closed form")
SHORTEST_SECONDS = 0.05
"""What is measured runs again until it has taken this long."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One GEMM: cycles that each side reports, and the CPU seconds that each takes for it (one process each)."""

    layer: str
    m: int
    n: int
    k: int
    scalesim_cycles: int
    array_cycles: int
    accelerator_cycles: int
    scalesim_wall_seconds: float
    scalesim_cpu_seconds: float
    array_model_cpu_seconds: float
    event_engine_cpu_seconds: float
    fast_engine_cpu_seconds: float
    fast_run_cpu_seconds: float
    closed_form_cpu_seconds: float


def cpu_seconds(work: Callable[[], int]) -> tuple[int, float]:
    """What `work` returns, and the mean CPU seconds of one call: a short one is repeated, and so mostly warm."""
    calls, start = 0, time.process_time()
    while True:
        answer = work()
        calls += 1
        spent = time.process_time() - start
        if spent >= SHORTEST_SECONDS:
            return answer, spent / calls


def measure(layer: TopologyLayer, machine: Accelerator, config: ScaleSimConfig, reply: Reply) -> Timed:
    """One GEMM on all sides; stops where the closed form is not what SCALE-Sim found."""
    m, n, k = layer.m, layer.n, layer.k
    array = machine.arrays[0]
    problem = Problem((RowRun(m, array.mode(BITS, BITS)),), n, k)

    def closed_form() -> int:
        return scalesim_timing(config.dataflow, config.rows, config.columns, m, n, k).compute_cycles

    def mapped() -> Schedule:
        return build_schedule(single_gemm(m, n, k, BITS, BITS), machine)

    cycles, closed_form_seconds = cpu_seconds(closed_form)
    theirs = reply.run.answers[0].timing.compute_cycles
    if cycles != theirs:
        raise SystemExit(f"{layer.name}: {cycles} cycles in closed form, SCALE-Sim found {theirs}")
    array_cycles, array_seconds = cpu_seconds(lambda: expand(array, problem).total_cycles)
    prepared = prepare(mapped(), operators=1)
    cycles_event, event_seconds = cpu_seconds(lambda: run_event(mapped(), operators=1).total_cycles)
    cycles_fast, fast_seconds = cpu_seconds(lambda: run_fast(mapped(), operators=1).total_cycles)
    cycles_run, run_seconds = cpu_seconds(lambda: run_prepared(prepared).total_cycles)
    if not cycles_event == cycles_fast == cycles_run:
        raise SystemExit(f"{layer.name}: the engines find {cycles_event}, {cycles_fast} and {cycles_run} cycles")
    return Timed(
        *(layer.name, m, n, k, cycles, array_cycles, cycles_event, reply.wall_seconds, reply.cpu_seconds),
        *(array_seconds, event_seconds, fast_seconds, run_seconds, closed_form_seconds),
    )


def print_table(rows: Sequence[Timed]) -> None:
    """CPU milliseconds per GEMM, and how many times SCALE-Sim's they are."""
    ours = " ".join(
        f"{name:>22}" for name in ("array model", "event engine", "fast engine", "fast, run", "closed form")
    )
    print(f"{'layer':34} {'cycles':>9} {'SCALE-Sim s':>12}   {ours}")
    for row in rows:
        print(line(row.layer, row.scalesim_cycles, [seconds(row)]))
    total = [seconds(row) for row in rows]
    print(line(f"all {len(rows)} GEMMs", sum(row.scalesim_cycles for row in rows), total))


def seconds(row: Timed) -> tuple[float, ...]:
    """CPU seconds: SCALE-Sim, array model, event engine, fast engine, its run alone, closed form."""
    engines = row.event_engine_cpu_seconds, row.fast_engine_cpu_seconds, row.fast_run_cpu_seconds
    return row.scalesim_cpu_seconds, row.array_model_cpu_seconds, *engines, row.closed_form_cpu_seconds


def line(name: str, cycles: int, spent: Sequence[tuple[float, ...]]) -> str:
    """One line of the table: the sums of what was spent."""
    theirs, *ours = (sum(column) for column in zip(*spent, strict=True))
    cells = [f"{1000 * own:9.3f} ms {theirs / own:9,.0f}x" for own in ours]
    return f"{name:34} {cycles:>9,} {theirs:>12.3f}   " + " ".join(cells)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--layers", type=positive, help="only the first N GEMMs of the list (default: all)")
    parser.add_argument("--csv", type=new_file, help="write the measurements here too")
    chosen = parser.parse_args(arguments)
    if peer_python() is None:
        parser.error(f"needs SCALE-Sim: {SCALESIM.obtain}")
    config_file = golden_dir() / f"{GOLDEN}.cfg"
    config, machine = read_scalesim_config(config_file), load_accelerator(MACHINE)
    layers = read_topology(config_file.with_suffix(TOPOLOGY_SUFFIX))[: chosen.layers]
    text = config_file.read_text(encoding="utf-8")
    rows = []
    for number, layer in enumerate(layers, 1):
        print(f"\r{number}/{len(layers)}", end="", file=sys.stderr, flush=True)
        with TemporaryDirectory() as folder:
            topology = topology_text(Form.GEMM, [(layer.m, layer.n, layer.k)])
            (reply,) = ask([Question(text, topology, Form.GEMM)], Path(folder))
        rows.append(measure(layer, machine, config, reply))
    print("\r", end="", file=sys.stderr)
    print_table(rows)
    if chosen.csv:
        write_csv(rows, chosen.csv)


if __name__ == "__main__":
    main()
