"""One SCALE-Sim run against ours: its files read and timed, every layer compared with its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isclose
from pathlib import Path

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.scalesim_config import ScaleSimConfig, read_scalesim_config
from mixarray.timing.scalesim import ScaleSimTiming, scalesim_timing
from mixarray.trace.scalesim_topology import TopologyLayer, read_topology

RELATIVE_TOLERANCE = 1e-12
"""Utilisations are means over folds there and quotients here: equal but for the order of the sums."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What SCALE-Sim 3.0.0 reports of one layer; cycles without its stalls, which a comparison needs to be 0."""

    m: int
    n: int
    k: int
    stall_cycles: int
    timing: ScaleSimTiming


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined: the readers of configurations and topologies, and the timing rule."""

    configure: Callable[[Path], ScaleSimConfig] = read_scalesim_config
    read: Callable[[Path], tuple[TopologyLayer, ...]] = read_topology
    time: Callable[[Dataflow, int, int, int, int, int], ScaleSimTiming] = scalesim_timing


@dataclass(frozen=True, slots=True)
class PeerRun:
    """A configuration and a topology as files, and what SCALE-Sim answered."""

    config: Path
    topology: Path
    answers: tuple[Answer, ...]


def compare_run(subject: Subject, run: PeerRun) -> list[str]:
    """How each layer of a run disagrees, in words; an empty text where it agrees."""
    config, layers = subject.configure(run.config), subject.read(run.topology)
    if len(layers) != len(run.answers):
        return [f"{run.topology.name}: {len(layers)} layers instead of {len(run.answers)}"] * len(run.answers)
    return [_compare(subject, config, *pair) for pair in zip(layers, run.answers, strict=True)]


def _compare(subject: Subject, config: ScaleSimConfig, layer: TopologyLayer, answer: Answer) -> str:
    ours = subject.time(config.dataflow, config.rows, config.columns, layer.m, layer.n, layer.k)
    wrong = [] if (layer.m, layer.n, layer.k) == (answer.m, answer.n, answer.k) else ["sizes"]
    wrong += [] if answer.stall_cycles == 0 else ["stalls of the peer"]
    wrong += [
        name for name in ScaleSimTiming.__slots__ if not _equal(getattr(ours, name), getattr(answer.timing, name))
    ]
    place = f"{config.rows}x{config.columns} {config.dataflow_key}, layer {layer.name} {layer.m}x{layer.n}x{layer.k}"
    return f"{place}: {', '.join(wrong)}: ours {ours}, SCALE-Sim {answer}" if wrong else ""


def _equal(ours: float, theirs: float) -> bool:
    if isinstance(ours, int):
        return ours == theirs
    return isclose(ours, theirs, rel_tol=RELATIVE_TOLERANCE)


def first_of(found: Sequence[str]) -> str:
    """The first disagreement, or nothing."""
    return next(filter(None, found), "")
