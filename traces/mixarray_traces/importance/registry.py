"""Discovery of scores: every module of `importance.scores` is one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from types import ModuleType

from mixarray.errors import InputError
from mixarray_traces.importance import scores
from mixarray_traces.importance.context import Score
from mixarray_traces.importance.token_map import TokenMap


@lru_cache(maxsize=1)
def score_names() -> tuple[str, ...]:
    """The names of all scores, sorted; a score is named like its file."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(scores.__path__)))


def load_score(name: str) -> Score:
    """The score of this name; InputError with the allowed names otherwise."""
    score: Score = _module(name).score_windows
    return score


def token_map_of(name: str) -> TokenMap:
    """What this score computes from tokens; InputError with the allowed names for an unknown one."""
    declared: TokenMap = _module(name).TOKEN_MAP
    return declared


def _module(name: str) -> ModuleType:
    if name not in score_names():
        raise InputError("score", f"{name!r} is unknown; allowed: {', '.join(score_names())}")
    return importlib.import_module(f"{scores.__name__}.{name}")
