"""A SCALE-Sim topology: timed by SCALE-Sim's rule under its own configuration, or run on one of our machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.scalesim_config import ScaleSimConfig, read_scalesim_config
from mixarray.atomic import ResultKind, atomic_directory
from mixarray.provenance import git_revision, package_versions
from mixarray.result.run import RunResult
from mixarray.timing.scalesim import scalesim_timing
from mixarray.trace.scalesim_topology import DENSE, TopologyLayer, read_topology, topology_workload
from mixarray.trace.workload import RESULT_BITS
from mixarray_analysis.run_options import DEFAULTS, RunOptions
from mixarray_analysis.scalesim_result import (
    COMPUTE_REPORT_NAME,
    JSON_NAME,
    ScaleSimLayerResult,
    ScaleSimResult,
    compute_report,
    totals_over,
)
from mixarray_analysis.simulating import simulate_workload


def time_as_scalesim(topology: Path, config: Path, *, out: Path | None, force: bool) -> ScaleSimResult:
    """What SCALE-Sim answers for these two files, without stalls; written to `out` if given.

    Raises InputError where a file cannot be read or `out` cannot be replaced.
    """
    layers, settings = read_topology(topology), read_scalesim_config(config)
    timed = tuple(_time(layer, settings) for layer in layers)
    result = ScaleSimResult(
        topology=topology.name,
        topology_sha256=_hash(topology),
        config=config.name,
        config_sha256=_hash(config),
        run_name=settings.run_name,
        rows=settings.rows,
        columns=settings.columns,
        dataflow=settings.dataflow_key,
        totals=totals_over(timed),
        layers=timed,
        notes=_notes(layers, settings),
        git_revision=git_revision(),
        versions=package_versions(),
    )
    if out is not None:
        with atomic_directory(out, ResultKind.SCALESIM, force, (topology, config)) as directory:
            (directory / COMPUTE_REPORT_NAME).write_text(compute_report(result), encoding="utf-8")
            (directory / JSON_NAME).write_text(result.to_json(), encoding="utf-8")
    return result


def simulate_topology(
    topology: Path,
    bits: tuple[int, int],
    *,
    result_bits: int | None,
    accelerator: str,
    overrides: tuple[str, ...],
    out: Path | None,
    force: bool,
    options: RunOptions = DEFAULTS,
) -> RunResult:
    """The layers as one workload at (activation, weight) bits on one of our machines, a result like any run's.

    Layers follow each other in the order of the file; each reads its operands from DRAM and writes its results there.
    """
    machine, layers = load_accelerator(accelerator, overrides), read_topology(topology)
    width = RESULT_BITS if result_bits is None else result_bits
    dense = "" if all(layer.sparsity == DENSE for layer in layers) else ", sparsity ratios not used"
    return simulate_workload(
        topology_workload(topology.stem, layers, *bits, width),
        machine,
        source=f"topology {topology.name}, {_layers(len(layers))}, {bits[0]}x{bits[1]} bits to {width}{dense}",
        trace_sha256=_hash(topology),
        reads=(topology,),
        out=out,
        force=force,
        options=options,
    )


def _time(layer: TopologyLayer, config: ScaleSimConfig) -> ScaleSimLayerResult:
    timing = scalesim_timing(config.dataflow, config.rows, config.columns, layer.m, layer.n, layer.k)
    return ScaleSimLayerResult(name=layer.name, m=layer.m, n=layer.n, k=layer.k, macs=layer.macs, **asdict(timing))


def _notes(layers: Sequence[TopologyLayer], config: ScaleSimConfig) -> tuple[str, ...]:
    """What the files ask for and the answer leaves out."""
    notes = []
    if config.stall_settings:
        notes.append(f"no stalls are simulated; these settings have no effect: {', '.join(config.stall_settings)}")
    sparse = sum(layer.sparsity != DENSE for layer in layers)
    if sparse:
        notes.append(f"sparsity ratios of {_layers(sparse)} are not used: sparsity.SparsitySupport is false")
    return tuple(notes)


def _layers(number: int) -> str:
    return "1 layer" if number == 1 else f"{number} layers"


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
