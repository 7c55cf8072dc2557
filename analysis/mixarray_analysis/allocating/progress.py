"""Step by step: take one, keep it; and the file that a stopped allocation goes on from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mixarray.errors import InputError
from mixarray_analysis.allocating.greedy import Problem, Reached, Taken, take_step
from mixarray_analysis.allocating.moves import Bits, Change, Move
from mixarray_analysis.allocating.settings import Settings
from mixarray_analysis.files import write_text

CHECKPOINT = "checkpoint.json"
FORMAT = "mixarray allocation checkpoint 1"


def run_steps(
    problem: Problem, reached: Reached, done: Callable[[Bits], bool], keep: Callable[[Reached], None]
) -> Reached:
    """Step on until the goal is reached or no move is left; `keep` is called after every step."""
    while not done(reached.bits):
        after = take_step(problem, reached)
        if after is None:
            return reached
        reached = after
        keep(reached)
    return reached


def write_checkpoint(path: Path, settings: Settings, reached: Reached) -> None:
    """Write the file whole or not at all."""
    saved = {
        "format": FORMAT,
        "settings": settings.to_json(),
        "bits": list(reached.bits),
        "taken": [
            {"changes": _changes(one.move.changes), "saved": one.move.saved, "score": one.score, "loss": one.loss}
            for one in reached.taken
        ],
        "known": [{"changes": _changes(changes), "increase": value} for changes, value in reached.known.items()],
    }
    write_text(path, json.dumps(saved, allow_nan=False) + "\n", force=True)


def read_checkpoint(path: Path) -> tuple[Settings, Reached]:
    """What `write_checkpoint` wrote; InputError for anything else."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved["format"] != FORMAT:
            raise ValueError(f"its format is {saved['format']!r}, not {FORMAT!r}")
        taken = tuple(
            Taken(Move(_read_changes(one["changes"]), one["saved"]), one["score"], one["loss"])
            for one in saved["taken"]
        )
        known = {_read_changes(one["changes"]): float(one["increase"]) for one in saved["known"]}
        return Settings.from_json(saved["settings"]), Reached(tuple(map(int, saved["bits"])), taken, known)
    except OSError as error:
        raise InputError(str(path), f"cannot be read, so there is nothing to resume: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise InputError(str(path), f"is no checkpoint of an allocation: {error}") from None


def _changes(changes: tuple[Change, ...]) -> list[dict[str, int]]:
    return [asdict(change) for change in changes]


def _read_changes(saved: list[dict[str, Any]]) -> tuple[Change, ...]:
    return tuple(Change(int(one["decision"]), int(one["before"]), int(one["after"])) for one in saved)
