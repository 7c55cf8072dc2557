"""What `mixarray search` is asked for, checked before any long work, and done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.write import accelerator_sha256
from mixarray.errors import InputError
from mixarray_analysis.models import choose_score, open_model
from mixarray_analysis.search.accuracy import SPLIT
from mixarray_analysis.search.hardware import Objective
from mixarray_analysis.search.progress import CHECKPOINT, Reached, read_checkpoint
from mixarray_analysis.search.results import SEARCH, Found
from mixarray_analysis.search.run import run_search
from mixarray_analysis.search.settings import Limits, Settings, check_settings
from mixarray_analysis.search.subject import open_subject
from mixarray_analysis.steps import check_source
from mixarray_traces.quantization.identity import quantized_sha256

CACHE = "accuracy_cache.jsonl"
"""Beside the directories of searches unless another file is named, so that neighbours share it."""


@dataclass(frozen=True, slots=True)
class Request:
    """A new search as it is typed; see `settings.Settings`."""

    objective: str
    accelerator: str
    overrides: tuple[str, ...] = ()
    model: Path | None = None
    size: int = 448
    canvases: int = 64
    canvas_seed: int = 0
    seed: int = 0
    population: int = 20
    pruning: bool = False
    score: str | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a search is done, which changes nothing of what it finds.

    cache: file of the accuracies that searches share, None for `CACHE` beside the result. jobs: processes that simulate
    side by side (0: one per CPU). force: whether another search in the directory is replaced. say: is told each
    generation.
    """

    say: Callable[[str], None]
    cache: Path | None = None
    jobs: int = 1
    force: bool = False
    quiet: bool = False


def settings_of(request: Request) -> Settings:
    """Open what is named, and what it is; InputError for what is not allowed."""
    allowed = [known.value for known in Objective]
    if request.objective not in allowed:
        raise InputError("--objective", f"{request.objective!r} is not possible; allowed: {', '.join(allowed)}")
    score, accelerator = choose_score(request.score), load_accelerator(request.accelerator, request.overrides)
    return Settings(
        objective=Objective(request.objective),
        accelerator=request.accelerator,
        overrides=request.overrides,
        model="" if request.model is None else str(request.model),
        model_sha256=quantized_sha256(open_model(request.model)),
        accelerator_sha256=accelerator_sha256(accelerator),
        size=request.size,
        canvases=request.canvases,
        canvas_seed=request.canvas_seed,
        seed=request.seed,
        population=request.population,
        pruning=request.pruning,
        score=score,
    )


def begin(request: Request, limits: Limits, out: Path, manner: Manner) -> Found:
    """A new search into the directory `out`; InputError where it holds a search already, unless it may be replaced."""
    _refuse_other(out, manner.force)
    settings = settings_of(request)
    (out / SEARCH).unlink(missing_ok=True)
    return _go_on(settings, limits, Reached.start(settings.seed), out, manner)


def resume(directory: Path, limits: Limits, out: Path | None, manner: Manner) -> Found:
    """Go on with the search in `directory`, there or in another one."""
    settings, reached = read_checkpoint(directory / CHECKPOINT)
    place = directory if out is None else out
    if place.resolve() != directory.resolve():
        _refuse_other(place, manner.force)
    if limits.generations < reached.state.generation:
        message = f"{limits.generations} are fewer than the {reached.state.generation} that were searched already"
        raise InputError("--generations", message)
    return _go_on(settings, limits, reached, place, manner)


def _refuse_other(out: Path, force: bool) -> None:
    """Raise InputError where a directory holds a search, finished or stopped, unless it may be replaced."""
    held = [name for name in (SEARCH, CHECKPOINT) if (out / name).exists()]
    if held and not force:
        message = f"holds a search ({held[0]}); --resume goes on with it, --force replaces it"
        raise InputError(str(out), message, "--out")


def _go_on(settings: Settings, limits: Limits, reached: Reached, out: Path, manner: Manner) -> Found:
    check_settings(settings, limits)
    check_source(SPLIT)
    subject = open_subject(settings, out.parent / CACHE if manner.cache is None else manner.cache, manner.jobs)
    return run_search(subject, settings, limits, reached, out, manner.say, manner.quiet)
