"""Generation by generation: ask, measure, tell, keep; and the file that a stopped search goes on from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.files import write_text
from mixarray_analysis.search.front import Trade
from mixarray_analysis.search.nsga2 import Search, State
from mixarray_analysis.search.settings import Limits, Settings, Stopped
from mixarray_analysis.search.space import Genes, Space

CHECKPOINT = "checkpoint.json"
FORMAT = "mixarray search checkpoint 1"
Measure = Callable[[Sequence[Genes]], Sequence[Trade]]
"""Cost and accuracy of settings, in their order."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a search has come: the state between two generations, and every setting measured, in order."""

    state: State
    measured: Mapping[Genes, Trade]

    @classmethod
    def start(cls, seed: int) -> Reached:
        """Before the first generation."""
        return cls(State.start(seed), {})


def run_generations(
    space: Space,
    population: int,
    limits: Limits,
    reached: Reached,
    measure: Measure,
    keep: Callable[[Reached], None],
) -> tuple[Reached, Stopped]:
    """Search on until a limit; `keep` is called after every generation.

    A generation that would measure more than the allowed settings is not begun.
    """
    search = Search(space, population, reached.state)
    while reached.state.generation < limits.generations:
        asked = search.ask()
        if not asked:
            return reached, Stopped.EXHAUSTED
        new = [genes for genes in asked if genes not in reached.measured]
        if len(reached.measured) + len(new) > limits.evaluations:
            return reached, Stopped.EVALUATIONS
        measured = {**reached.measured, **dict(zip(new, measure(new), strict=True))}
        state = search.tell([(measured[genes].cost, -measured[genes].accuracy) for genes in asked])
        reached = Reached(state, measured)
        keep(reached)
    return reached, Stopped.GENERATIONS


def write_checkpoint(path: Path, settings: Settings, reached: Reached) -> None:
    """Write the file whole or not at all."""
    saved = {
        "format": FORMAT,
        "settings": settings.to_json(),
        "state": reached.state.to_json(),
        "measured": [
            {"genes": list(genes), "cost": one.cost, "accuracy": one.accuracy}
            for genes, one in reached.measured.items()
        ],
    }
    write_text(path, json.dumps(saved, indent=1, allow_nan=False) + "\n", force=True)


def read_checkpoint(path: Path) -> tuple[Settings, Reached]:
    """What `write_checkpoint` wrote; InputError for anything else."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved["format"] != FORMAT:
            raise ValueError(f"its format is {saved['format']!r}, not {FORMAT!r}")
        measured = {
            tuple(int(gene) for gene in one["genes"]): Trade(one["cost"], one["accuracy"]) for one in saved["measured"]
        }
        return Settings.from_json(saved["settings"]), Reached(State.from_json(saved["state"]), measured)
    except OSError as error:
        raise InputError(str(path), f"cannot be read, so there is no search to resume: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise InputError(str(path), f"is no checkpoint of a search: {error}") from None
