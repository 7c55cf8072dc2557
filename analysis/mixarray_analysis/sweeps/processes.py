"""Ranges of numbers worked on by several processes, answered as they are done; nothing waits in queues.

Each process has a pipe of its own, so that it ends when the process that started it does, however that ended.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from mixarray.errors import InputError
from mixarray_analysis.sweeps.code_version import code_sha256
from mixarray_analysis.sweeps.working import Answer, Job, Worker

Range = tuple[int, int]
Say = Callable[[int], None]
"""Told how many more points are done with."""


def work_on(job: Job, ranges: Iterable[Range], processes: int, say: Say) -> Iterator[Answer]:
    """The answers of all ranges, in any order; with one process the work is done in this one."""
    if processes <= 1:
        worker = Worker(job)
        yield from (worker.work(*one, say) for one in ranges)
        return
    context, left = multiprocessing.get_context("spawn"), iter(ranges)
    started: dict[Connection, SpawnProcess] = {}
    try:
        for first in islice(left, processes):
            mine, theirs = context.Pipe()
            started[mine] = context.Process(target=_serve, args=(job, theirs), daemon=True)
            started[mine].start()
            theirs.close()
            _give(mine, first)
        yield from _collect(started, left, say)
    finally:
        for process in started.values():
            process.terminate()
            process.join()


def _collect(started: dict[Connection, SpawnProcess], left: Iterator[Range], say: Say) -> Iterator[Answer]:
    """Hear from the processes until each has been told that nothing is left."""
    busy = set(started)
    while busy:
        for pipe in wait(list(busy)):
            assert isinstance(pipe, Connection)
            try:
                heard = pipe.recv()
            except EOFError:
                started[pipe].join()
                message = f"a process ended before its work was done (exit code {started[pipe].exitcode})"
                raise InputError("--jobs", f"{message}; if for want of memory, go on with fewer") from None
            if isinstance(heard, BaseException):
                raise heard
            if isinstance(heard, int):
                say(heard)
                continue
            following = next(left, None)
            _give(pipe, following)
            if following is None:
                busy.discard(pipe)
            if heard is not None:
                yield heard


def _give(pipe: Connection, task: Range | None) -> None:
    with suppress(BrokenPipeError):  # `_collect` finds the process gone
        pipe.send(task)


def _serve(job: Job, pipe: Connection) -> None:
    """Work until told to stop, or until nobody listens. Ctrl-C is for the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            if code_sha256() != job.code:
                raise InputError("--jobs", "the sources of mixarray have changed since they were imported: start anew")
            worker = Worker(job)
            while (task := pipe.recv()) is not None:
                start, stop = task
                pipe.send(worker.work(start, stop, pipe.send))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except BaseException as error:
            pipe.send(error)
            raise
