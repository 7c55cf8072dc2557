"""Discovery of scores: every module of `importance.scores` is one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from mixarray.errors import InputError
from mixarray_traces.importance import scores
from mixarray_traces.importance.context import Score


@lru_cache(maxsize=1)
def score_names() -> tuple[str, ...]:
    """The names of all scores, sorted; a score is named like its file."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(scores.__path__)))


def load_score(name: str) -> Score:
    """The score of this name; InputError with the allowed names otherwise."""
    if name not in score_names():
        raise InputError("score", f"{name!r} is unknown; allowed: {', '.join(score_names())}")
    module = importlib.import_module(f"{scores.__name__}.{name}")
    score: Score = module.score_windows
    return score
