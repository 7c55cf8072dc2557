"""Runs what is missing of a page's runs, one command after another; what exists is not run again.

Models and bundles lie in a scratch directory. Where that is new, those are made again that a missing result needs.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.reproduction.runs import TIMES, Places, Run, command_line

Execute = Callable[[list[str]], int]
"""Runs a command given as words and returns its exit code."""
CHECKPOINTS = {"qat": "checkpoint.pt", "search": "checkpoint.json", "allocate": "checkpoint.json"}
"""Commands that can be stopped and resumed, and the file of `--out` that says so."""
LIMITS = ("--generations", "--evaluations")
RESUME = "--resume"


def drive(
    runs: Sequence[Run],
    places: Places,
    execute: Execute,
    say: Callable[[str], None],
    only: Collection[str] = (),
    most: int | None = None,
) -> bool:
    """Make what is missing of `runs`, `most` commands at most; whether everything that was asked for is there then.

    only: names of runs, or beginnings of names up to a slash; all where it is empty. What a run needs is not run for
    it: it has to be asked for too. A run that fails, or lacks what it needs, is named, and the others go on.
    InputError where a training of another budget stands behind what is asked for.
    """
    wanted = chosen(runs, only)
    by_name = {run.name: run for run in runs}
    refuse_other_budgets(wanted, by_name, places)
    started, complete = 0, True
    for run in wanted:
        if is_complete(run, places):
            keep(run, places)
            continue
        if run.name not in only and not is_needed(run, runs, places):
            continue
        lacks = [name for name in run.needs if not is_complete(by_name[name], places)]
        if lacks or (most is not None and started >= most):
            say(f"left out: {run.name}" + (f", which needs {', '.join(lacks)}" if lacks else ""))
            complete = False
            continue
        say(command_line(run, places))
        started += 1
        words, began = words_to_run(run, places), time.monotonic()
        failed = execute([sys.executable, "-m", run.module, *words])
        if not failed:
            keep(run, places)
            if RESUME not in words:
                _note_time(run, time.monotonic() - began, places)
        if failed or not is_complete(run, places):
            say(f"failed: {run.name}")
            complete = False
    return complete


def chosen(runs: Iterable[Run], only: Collection[str]) -> tuple[Run, ...]:
    """The runs asked for, in their order; InputError for a name that none has."""
    every = tuple(runs)
    for name in only:
        if not any(_is_called(run, name) for run in every):
            raise InputError("--only", f"{name!r} names no run; --list names all of them")
    return tuple(run for run in every if not only or any(_is_called(run, name) for name in only))


def refuse_other_budgets(wanted: Iterable[Run], by_name: Mapping[str, Run], places: Places) -> None:
    """Raise InputError where a training behind `wanted` exists, with other canvases or another batch than asked for.

    Names hold no budget: without this a page would show the accuracy of one training beside the budget of another.
    """
    trainings = {one.name: one for run in wanted for one in _behind(run, by_name) if one.part}
    for run in trainings.values():
        tellers = (path for source, name in run.keeps for path in (Path(places.fill(source)), _copy(name, places)))
        for path in tellers:
            for images, batch in _trainings_of(path, run.part):
                if (images, batch) != (places.images, places.batch):
                    message = f"holds a training on {images:,} canvases, {batch} a step: ask for that, or remove it"
                    raise InputError(str(path), message, "--images, --batch")


def _behind(run: Run, by_name: Mapping[str, Run]) -> Iterable[Run]:
    """The run and all that it needs."""
    yield run
    for name in run.needs:
        yield from _behind(by_name[name], by_name)


def _trainings_of(path: Path, part: str) -> list[tuple[int, int]]:
    """(canvases, canvases of a step) of the trainings that a manifest, or what is kept of one, tells of."""
    if not path.exists():
        return []
    told = json.loads(path.read_text(encoding="utf-8"))
    return [(one["budget_images"], one["batch"]) for one in (told.get(part, []) if isinstance(told, dict) else told)]


def is_complete(run: Run, places: Places) -> bool:
    """Whether the run's file is there, on as many canvases as are wanted."""
    made = Path(places.fill(run.makes))
    if not made.exists():
        return False
    return not run.n or canvases_of(made) >= places.n


def is_needed(run: Run, runs: Sequence[Run], places: Places) -> bool:
    """Whether a result is missing that this run makes, or that another makes from it."""
    if not all(_copy(name, places).exists() for _, name in run.keeps) or run.makes.startswith("{results}"):
        return not is_complete(run, places)
    following = (other for other in runs if run.name in other.needs)
    return any(not is_complete(other, places) and is_needed(other, runs, places) for other in following)


def canvases_of(path: Path) -> int:
    """The least n of a result of `mixarray evaluate`; InputError where it is none."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return min(int(row["n"]) for row in csv.DictReader(file))
    except (OSError, KeyError, ValueError) as error:
        raise InputError(str(path), f"is no result of an evaluation: {error!r}") from None


def words_to_run(run: Run, places: Places) -> list[str]:
    """The command, resumed where it was stopped before; an evaluation on fewer canvases is replaced."""
    words = [places.fill(word) for word in run.words]
    out = Path(words[words.index("-o") + 1])
    checkpoint = CHECKPOINTS.get(words[0])
    if checkpoint is not None and (out / checkpoint).exists():
        return [*words, RESUME] if words[0] == "qat" else [words[0], RESUME, str(out), *_limits(words)]
    return [*words, "--force"] if run.n and out.exists() else words


def _limits(words: list[str]) -> list[str]:
    """What a resumed search has to be told again: how long it goes on."""
    given = [option for option in LIMITS if option in words]
    return [word for option in given for word in words[words.index(option) : words.index(option) + 2]]


def keep(run: Run, places: Places) -> None:
    """Copy what the page needs of a finished run into the results; what was made in another place is there already."""
    for source, name in run.keeps:
        made = Path(places.fill(source))
        if not made.exists():
            continue
        content = made.read_bytes()
        if run.part:
            content = (json.dumps(json.loads(content).get(run.part, []), indent=2) + "\n").encode()
        copy = _copy(name, places)
        copy.parent.mkdir(parents=True, exist_ok=True)
        part = copy.with_name(f".{copy.name}.partial")
        part.write_bytes(content)
        part.replace(copy)


def _note_time(run: Run, seconds: float, places: Places) -> None:
    """One line in one write, so that drivers side by side do not mix theirs."""
    places.results.mkdir(parents=True, exist_ok=True)
    with (places.results / TIMES).open("a", encoding="utf-8") as file:
        file.write(f"{run.name},{seconds:.0f}\n")


def _copy(name: str, places: Places) -> Path:
    return places.results.parent / name


def _is_called(run: Run, name: str) -> bool:
    return run.name == name or run.name.startswith(f"{name}/")
