"""The cost of every setting of a space, where there are few enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import fsum, isclose
from pathlib import Path
from typing import Any

import numpy as np

from mixarray import __version__
from mixarray.accelerator.write import accelerator_sha256
from mixarray.errors import InputError
from mixarray.provenance import git_revision
from mixarray_analysis.parallel import run_tasks
from mixarray_analysis.progress import Report
from mixarray_analysis.search.hardware import Cost, Groups, Machine, latency_ms, simulate_cost
from mixarray_analysis.search.space import Genes, Space
from mixarray_analysis.search.store import Key, Store

MOST_SETTINGS = 500_000
"""Settings of a space that are listed; Swin-T has 120,285."""
MOST_SIMULATED = 50_000
"""Settings that are simulated where sums of stages do not hold: some hours."""
CHUNK = 16
"""Settings simulated by one task."""
CHECKS = 40
"""Settings of the whole space by which it is decided whether the stages' costs add up."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Settings to simulate in a process of their own; `model` names the topology in the store's keys."""

    machine: Machine
    model: str
    every: tuple[Groups, ...]
    store: Path


@dataclass(frozen=True, slots=True)
class Everything:
    """The costs of all settings of a space.

    simulated: how many different group sizes were simulated. checked: settings drawn from all whose sum was held
    against a simulation; 0 where the sums did not hold and every setting was simulated.
    """

    costs: Mapping[Genes, Cost]
    simulated: int
    checked: int


def every_cost(
    machine: Machine, model: str, space: Space, store: Path, jobs: int, report: Report, checks: int = CHECKS
) -> Everything:
    """The costs of all settings; `jobs` processes simulate side by side (0: one per CPU).

    Each stage's settings are simulated with ratio 0 in the others, and `checks` settings drawn from the whole space.
    Where those equal the sum of their stages (cycles and bit operations exactly, energy to 1e-9), sums stand for the
    rest; where one does not, every setting is simulated. What `store` holds of this accelerator and code is not
    simulated again, so a stopped run goes on. InputError where the space is too large for that.
    """
    if space.size > MOST_SETTINGS:
        message = f"have {space.size:,} settings, too many to list; at most {MOST_SETTINGS:,}"
        raise InputError(f"{sum(space.pairs)} block pairs", message)
    every, alone = list(space.every()), list(_alone(space))
    drawn = np.random.default_rng(0).choice(len(every), min(checks, len(every)), replace=False)
    checked = [every[index] for index in drawn]
    known = _simulated(machine, model, space, [*alone, *checked], store, jobs, report)
    summed = {genes: _sum(space, known, genes, machine) for genes in every}
    if all(_equal(summed[genes], known[genes]) for genes in checked):
        return Everything(summed, _distinct(machine, space, [*alone, *checked]), len(checked))
    if _distinct(machine, space, every) > MOST_SIMULATED:
        message = f"stages do not add up, and its {space.size:,} settings are too many to simulate"
        raise InputError(machine.accelerator.name, f"{message}; at most {MOST_SIMULATED:,}")
    costs = _simulated(machine, model, space, every, store, jobs, report)
    return Everything(costs, _distinct(machine, space, every), 0)


def _alone(space: Space) -> Iterator[Genes]:
    """Settings with something in one stage at most."""
    for genes in space.every():
        if sum(map(any, _by_stage(space, genes))) <= 1:
            yield genes


def _by_stage(space: Space, genes: Genes) -> list[Genes]:
    """The genes with only one stage's kept, for every stage."""
    stage_of = [stage for stage, pairs in enumerate(space.pairs) for _ in range(pairs)] * (2 if space.pruning else 1)
    return [
        tuple(gene if stage_of[place] == stage else 0 for place, gene in enumerate(genes))
        for stage in range(len(space.pairs))
    ]


def _sum(space: Space, known: Mapping[Genes, Cost], genes: Genes, machine: Machine) -> Cost:
    """Ratio 0, and what each stage alone changes of it."""
    zero = known[space.uniform(0)]
    parts = [known[one] for one in _by_stage(space, genes)]
    cycles = zero.cycles + sum(one.cycles - zero.cycles for one in parts)
    return Cost(
        bops=zero.bops + sum(one.bops - zero.bops for one in parts),
        cycles=cycles,
        latency_ms=latency_ms(machine, cycles),
        energy_uj=fsum([zero.energy_uj, *(one.energy_uj - zero.energy_uj for one in parts)]),
    )


def _equal(one: Cost, other: Cost) -> bool:
    exact = (one.bops, one.cycles) == (other.bops, other.cycles)
    return exact and isclose(one.energy_uj, other.energy_uj, rel_tol=1e-9)


def _distinct(machine: Machine, space: Space, settings: Sequence[Genes]) -> int:
    return len({machine.groups(space.ratios(genes)) for genes in settings})


def _simulated(
    machine: Machine, model: str, space: Space, settings: Sequence[Genes], store: Path, jobs: int, report: Report
) -> dict[Genes, Cost]:
    groups = {genes: machine.groups(space.ratios(genes)) for genes in settings}
    distinct = list(dict.fromkeys(groups.values()))
    parts = [tuple(distinct[start : start + CHUNK]) for start in range(0, len(distinct), CHUNK)]
    answers = run_tasks(simulate_chunk, [Chunk(machine, model, part, store) for part in parts], jobs, report)
    known = dict(zip(distinct, (cost for answer in answers for cost in answer), strict=True))
    return {genes: known[one] for genes, one in groups.items()}


def simulate_chunk(chunk: Chunk) -> list[Cost]:
    """Simulate what the store does not hold, and keep it there."""
    store, costs = Store(chunk.store), []
    identity = {
        "accelerator": accelerator_sha256(chunk.machine.accelerator),
        "model": chunk.model,
        "code": f"{__version__} {git_revision()}",
    }
    for groups in chunk.every:
        key: Key = identity | {"groups": [list(sizes) for sizes in groups]}
        saved: Mapping[str, Any] | None = store.get(key)
        cost = simulate_cost(chunk.machine, groups) if saved is None else Cost(**saved)
        if saved is None:
            store.put(key, asdict(cost))
        costs.append(cost)
    return costs
