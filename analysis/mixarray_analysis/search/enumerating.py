"""`mixarray search enumerate`: what every setting of a space costs, and how close searches come to its true front."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray_analysis.files import refuse_existing, write_text
from mixarray_analysis.models import choose_score, open_model
from mixarray_analysis.progress import progress_bar
from mixarray_analysis.search.distance import Distance, Misled, distance, misled, stand_in
from mixarray_analysis.search.exhaustive import every_cost
from mixarray_analysis.search.hardware import Cost, Objective
from mixarray_analysis.search.settings import Limits, check_population
from mixarray_analysis.search.space import Genes, Space
from mixarray_analysis.search.subject import machine_of
from mixarray_analysis.summary import write_rows
from mixarray_analysis.tables import to_json
from mixarray_traces.quantization.identity import quantized_sha256

SPACE = "space.csv"
DISTANCES = "distances.json"
STORE = "simulated.jsonl"


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A space to enumerate on one accelerator; `seeds` searches of it are held against the true front."""

    accelerator: str
    overrides: tuple[str, ...]
    model: Path | None
    size: int
    objective: Objective
    population: int
    limits: Limits
    seeds: int
    jobs: int
    quiet: bool


@dataclass(frozen=True, slots=True)
class Enumerated:
    """What an enumeration found; simulated, checked: as in `exhaustive.Everything`."""

    settings: int
    simulated: int
    checked: int
    misled: Misled
    distances: tuple[Distance, ...]


def enumerate_space(wanted: Enumeration, out: Path, force: bool) -> Enumerated:
    """Find what all settings cost and write space.csv and distances.json below `out`; a stopped run goes on.

    Raises InputError where model, accelerator or the searches' numbers are not possible, or the space is too large.
    """
    check_population(wanted.population, wanted.limits)
    for name in (SPACE, DISTANCES):
        refuse_existing(out / name, force)
    accelerator, model = load_accelerator(wanted.accelerator, wanted.overrides), open_model(wanted.model)
    score = choose_score(None)
    machine = machine_of(model, wanted.size, score, accelerator)
    space = Space.of_depths(model.depths)
    name = f"{quantized_sha256(model)} {wanted.size} px {score}"
    with progress_bar("simulating the stages' settings", wanted.quiet) as report:
        everything = every_cost(machine, name, space, out / STORE, wanted.jobs, report)
    trades = stand_in(everything.costs, space, wanted.objective)
    seeds = range(wanted.seeds)
    found = tuple(distance(trades, space, wanted.population, wanted.limits, seed) for seed in seeds)
    answer = Enumerated(space.size, everything.simulated, everything.checked, misled(trades), found)
    _write_space(out / SPACE, everything.costs, force)
    described = asdict(answer) | {"accelerator": accelerator.name, "objective": wanted.objective.value}
    write_text(out / DISTANCES, to_json(described) + "\n", force)
    return answer


def _write_space(path: Path, costs: Mapping[Genes, Cost], force: bool) -> None:
    text = io.StringIO(newline="")
    rows = [
        (" ".join(map(str, genes)), one.bops, one.cycles, one.latency_ms, one.energy_uj) for genes, one in costs.items()
    ]
    write_rows(text, ("genes", "bops", "cycles", "latency_ms", "energy_uj"), rows)
    write_text(path, text.getvalue(), force)
