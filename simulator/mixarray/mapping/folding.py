"""Shortening a written Schedule: folds that follow each other alike inside one long iteration become a segment.

Iterations that repeat are segments already. Those at the border between groups occur once or a few times, with up to
hundreds of equal folds inside: (array load, stream) pairs, with mode switches where a tile has rows of two modes.
Waits are by distance in Schedule order, which does not change here; only `Final` names a segment and has to follow.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mixarray.mapping.schedule import Final, Job, Segment
from mixarray.mapping.waiting import WaitingJobs

FOLD_JOBS = (2, 3, 4)
"""Jobs of a fold, without and with mode switches."""
LEAST_SAVED = 6
"""Jobs that a segment of its own has to save."""

Place = tuple[int, int]
"""(segment, slot)"""


def fold_up(segments: Sequence[tuple[tuple[Job, ...], int]], waiting: WaitingJobs) -> tuple[Segment, ...]:
    """The same jobs in the same order with fewer of them stored; `segments` are (body, repeat) without `Back`.

    waiting: makes the jobs whose `Final` has to follow.
    """
    each = {id(job): job for body, _ in segments for job in body}
    following = {identity for identity, job in each.items() if _finals(job)}
    wanted: dict[int, set[int]] = {}
    for final in (final for identity in following for final in _finals(each[identity])):
        wanted.setdefault(final.segment, set()).add(final.slot)
    moved: dict[Place, Place] = {}
    result: list[Segment] = []
    for number, (body, repeat) in enumerate(segments):
        pieces = _cut(body, wanted.get(number, set()))
        stored = sum(len(piece) for _, piece, _ in pieces)
        if len(pieces) == 1 or repeat * stored >= len(body):
            pieces = [(0, body, repeat)]
        for _ in range(repeat if len(pieces) > 1 else 1):
            for start, piece, times in pieces:
                skipped = (times - 1) * len(piece) if len(pieces) > 1 else 0
                for slot in range(len(piece)):
                    moved[number, start + skipped + slot] = len(result), slot
                jobs = (_follow(job, moved, waiting) if id(job) in following else job for job in piece)
                result.append(Segment(tuple(jobs), times))
    return tuple(result)


def _cut(body: tuple[Job, ...], pinned: Collection[int]) -> list[tuple[int, tuple[Job, ...], int]]:
    """(first slot, jobs, repeat) pieces of one iteration around its runs of equal folds."""
    pieces: list[tuple[int, tuple[Job, ...], int]] = []
    kept = start = 0
    while start + FOLD_JOBS[0] <= len(body):
        size, folds = max(((size, _equal_folds(body, start, size)) for size in FOLD_JOBS), key=_saved)
        inner = range(start, start + (folds - 1) * size)
        if _saved((size, folds)) < LEAST_SAVED or any(slot in inner for slot in pinned):
            start += 1
            continue
        pieces += [(kept, body[kept:start], 1), (start, body[start : start + size], folds)]
        kept = start = start + folds * size
    return [piece for piece in [*pieces, (kept, body[kept:], 1)] if piece[1]]


def _saved(found: tuple[int, int]) -> int:
    """Jobs that (jobs of a fold, number of folds) need not be stored."""
    size, folds = found
    return (folds - 1) * size


def _equal_folds(body: tuple[Job, ...], start: int, size: int) -> int:
    """How often the jobs of the fold at `start` follow each other."""
    folds = 1
    while body[start + folds * size : start + (folds + 1) * size] == body[start : start + size]:
        folds += 1
    return folds


def _finals(job: Job) -> list[Final]:
    return [wait for wait in job.dependencies if isinstance(wait, Final)]


def _follow(job: Job, moved: dict[Place, Place], waiting: WaitingJobs) -> Job:
    """The job with its `Final` waits where their segments are now."""
    waits = tuple(
        Final(*moved[wait.segment, wait.slot], wait.event) if isinstance(wait, Final) else wait
        for wait in job.dependencies
    )
    return waiting.job(job, waits)
