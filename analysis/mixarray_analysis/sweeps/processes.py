"""Ranges of numbers worked on by several processes, answered as they are done; nothing waits in queues.

Where a process dies, a fresh one goes through its range again, point by point. A point that this one dies of too is
written as failed by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from mixarray.errors import InputError
from mixarray_analysis.sweeps.code_version import code_sha256
from mixarray_analysis.sweeps.store import POINTS
from mixarray_analysis.sweeps.working import Answer, Job, Worker
from mixarray_analysis.sweeps.writing import recover_of
from mixarray_analysis.workers import Workers, give, heard, lost

Range = tuple[int, int]
Say = Callable[[int], None]
"""Told how many more points are done with; less than none where a process has died over some."""
DIED = "its process died (exit code {})"
"""The error of a point that kills the process that works on it."""


def work_on(job: Job, ranges: Iterable[Range], processes: int, say: Say) -> Iterator[Answer]:
    """The answers of all ranges, in any order; with one process the work is done in this one."""
    if processes <= 1:
        worker = Worker(job)
        for one in ranges:
            answer, points = worker.look(*one)
            say(one[1] - one[0] - len(points))
            worker.compute(points, say)
            yield answer
        return
    left = iter(ranges)
    with Workers(_serve, job) as workers:
        busy = {workers.start(): _Share([_Part(*one)]) for one in islice(left, processes)}
        for pipe, share in busy.items():
            share.give(pipe)
        yield from _collect(workers, busy, left, job, say)


@dataclass(frozen=True, slots=True)
class _Part:
    """Points start to stop - 1. died: what the only one of them died of; answered: whether its answer was heard."""

    start: int
    stop: int
    died: str = ""
    answered: bool = False


@dataclass
class _Share:
    """What one process has to do, the part that it is at first. said: points of that part that are done with;
    begun: whether the process has said anything yet."""

    parts: list[_Part]
    said: int = 0
    begun: bool = False

    def give(self, pipe: Connection) -> None:
        part, self.said = self.parts[0], 0
        give(pipe, (part.start, part.stop, part.died))

    def after_death(self, process: SpawnProcess) -> _Share:
        """For a fresh process: the same part point by point; of a single point, that this is what it died of.

        InputError where the process died before it began, or of the latter.
        """
        part = self.parts[0]
        if part.died or not self.begun:
            raise lost(process)
        if part.stop - part.start == 1:
            again = [replace(part, died=DIED.format(process.exitcode))]
        else:
            again = [replace(part, start=number, stop=number + 1) for number in range(part.start, part.stop)]
        return _Share([*again, *self.parts[1:]])


def _collect(
    workers: Workers, busy: dict[Connection, _Share], left: Iterator[Range], job: Job, say: Say
) -> Iterator[Answer]:
    """Hear from the processes until nothing is left to do."""
    while busy:
        for pipe, message in heard(list(busy)):
            if message is EOFError:
                share = busy.pop(pipe)
                say(-share.said)
                _replace(workers, workers.ended(pipe), share, busy, job.directory)
                continue
            share = busy[pipe]
            share.begun = True
            if isinstance(message, int):
                share.said += message
                say(message)
            elif message is None:
                _go_on(workers, pipe, busy, next(left, None) if len(share.parts) == 1 else None)
            elif not share.parts[0].answered:
                share.parts[0] = replace(share.parts[0], answered=True)
                yield message


def _replace(
    workers: Workers, process: SpawnProcess, share: _Share, busy: dict[Connection, _Share], out: Path | None
) -> None:
    """Give the share of a process that has died to a fresh one, which finds the rows that were finished."""
    again = share.after_death(process)
    if out is not None and process.pid is not None:
        recover_of(out / POINTS, process.pid)
    pipe = workers.start()
    busy[pipe] = again
    again.give(pipe)


def _go_on(workers: Workers, pipe: Connection, busy: dict[Connection, _Share], following: Range | None) -> None:
    """Give a process its next part, or else the range that follows; without either let it end."""
    share = busy[pipe]
    share.parts.pop(0)
    if following is not None:
        share.parts.append(_Part(*following))
    if share.parts:
        share.give(pipe)
    else:
        del busy[pipe]
        workers.release(pipe)


def _serve(job: Job, pipe: Connection) -> None:
    """Of every part: the answer, points as they are done with, and None at its end."""
    if code_sha256() != job.code:
        raise InputError("--jobs", "the sources of mixarray have changed since they were imported: start anew")
    worker = Worker(job)
    pipe.send(0)
    while True:
        start, stop, died = pipe.recv()
        answer, points = worker.look(start, stop)
        pipe.send(answer)
        pipe.send(stop - start - len(points))
        worker.compute(points, pipe.send, died)
        pipe.send(None)
