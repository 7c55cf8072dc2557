"""What a search is asked for: plain data that travels through its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from mixarray.errors import InputError
from mixarray_analysis.search.hardware import Objective

SMALLEST_POPULATION = 4
LARGEST_SETTINGS = 400
"""Distinct settings that a search may measure unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides where a search goes; it stays the same when the search is resumed.

    accelerator, overrides: what the hardware objectives are simulated on. model: directory of a quantized model, empty
    for the shipped one. model_sha256, accelerator_sha256: of what these were. size: side of the canvases in px.
    canvases: how many the search measures accuracy on, the first of stream `canvas_seed`. pruning: whether pruning
    ratios are searched too. score: importance score that ranks windows.
    """

    objective: Objective
    accelerator: str
    overrides: tuple[str, ...]
    model: str
    model_sha256: str
    accelerator_sha256: str
    size: int
    canvases: int
    canvas_seed: int
    seed: int
    population: int
    pruning: bool
    score: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"objective": self.objective.value, "overrides": list(self.overrides)}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Settings:
        """What `to_json` wrote; KeyError, TypeError or ValueError for anything else."""
        if set(saved) != {field.name for field in fields(cls)}:
            raise ValueError(f"the settings are {', '.join(sorted(saved))}")
        changed = {"objective": Objective(saved["objective"]), "overrides": tuple(saved["overrides"])}
        return cls(**(dict(saved) | changed))


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a search goes on, and how many settings of its front are measured again, on how many other canvases.

    Of these a resumed search may be given others. evaluations: most distinct settings that it measures, whether their
    accuracy was known before or not, so that what it finds does not depend on what others measured. final_settings: of
    a longer front its ends, and so many in all evenly along it.
    """

    generations: int = 20
    evaluations: int = LARGEST_SETTINGS
    final_canvases: int = 500
    final_seed: int = 1
    final_settings: int = 16


def check_settings(settings: Settings, limits: Limits) -> None:
    """Raise InputError for numbers that cannot be searched with."""
    check_population(settings.population, limits)
    for option, canvases in (("--n", settings.canvases), ("--final-n", limits.final_canvases)):
        if canvases < 2:
            raise InputError(option, f"{canvases} canvases have no interval; give at least 2")
    if limits.final_settings < 2:
        raise InputError("--final-settings", f"{limits.final_settings} is less than the two ends of a front")
    if limits.final_seed == settings.canvas_seed:
        message = f"{limits.final_seed} draws the canvases that the search itself saw; give another"
        raise InputError("--final-seed", message)


def check_population(population: int, limits: Limits) -> None:
    """Raise InputError for a population that cannot be bred, or that is more than may be measured."""
    if population < SMALLEST_POPULATION or population % 2:
        raise InputError(
            "--population", f"{population} is not possible; allowed: even numbers from {SMALLEST_POPULATION}"
        )
    if limits.evaluations < population:
        message = f"{limits.evaluations} settings are fewer than the first generation's {population}"
        raise InputError("--evaluations", message)


class Stopped(StrEnum):
    """Why a search ended: its generations, its settings, or no setting near its population is new."""

    GENERATIONS = "generations"
    EVALUATIONS = "evaluations"
    EXHAUSTED = "exhausted"
