"""Processes of ours, each with a pipe of its own: they end with the one that started them, however that ended.

Ctrl-C is for the process that started them alone: they never see it, from their first instruction on.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from traceback import format_exception
from typing import Any, Self

from mixarray.errors import InputError

Serve = Callable[..., None]
"""A module-level function: what a process does, given some arguments and its end of the pipe."""


class Workers:
    """Processes that do `serve(*arguments, pipe)`; leaving the context ends them.

    They are spawned, not forked, because the threads of PyTorch do not survive a fork.
    """

    def __init__(self, serve: Serve, *arguments: object) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._serve, self._arguments = serve, arguments
        self._started: dict[Connection, SpawnProcess] = {}

    def start(self) -> Connection:
        """One more process; returns our end of its pipe."""
        mine, theirs = self._context.Pipe()
        process = self._context.Process(target=begin, args=(self._serve, self._arguments, theirs), daemon=True)
        with held_interrupts():
            process.start()
            self._started[mine] = process
        theirs.close()
        return mine

    def release(self, pipe: Connection) -> None:
        """Let a process end that has nothing left to do."""
        pipe.close()

    def ended(self, pipe: Connection) -> SpawnProcess:
        """The process whose pipe says that it has ended, with its exit code."""
        process = self._started.pop(pipe)
        process.join()
        pipe.close()
        return process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started.values():
            process.terminate()
        for process in self._started.values():
            process.join()


def heard(pipes: list[Connection]) -> Iterator[tuple[Connection, Any]]:
    """What is there to hear, at least one message; EOFError as a message where a process has ended.

    Raises what a process says went wrong.
    """
    for pipe in wait(pipes):
        assert isinstance(pipe, Connection)
        try:
            message = pipe.recv()
        except (EOFError, ConnectionResetError):
            message = EOFError
        if isinstance(message, BaseException):
            raise message
        yield pipe, message


def give(pipe: Connection, task: object) -> None:
    """Send a task; where the process is gone `heard` tells."""
    with suppress(BrokenPipeError, ConnectionResetError):
        pipe.send(task)


def lost(process: SpawnProcess) -> InputError:
    """A process has ended that should not have."""
    message = f"a process ended before its work was done (exit code {process.exitcode})"
    return InputError("--jobs", f"{message}; if for want of memory, go on with fewer")


def begin(serve: Serve, arguments: tuple[object, ...], pipe: Connection) -> None:
    """What a process does: serve until told to stop, or until nobody listens. What goes wrong is sent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            serve(*arguments, pipe)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except BaseException as error:
            if not isinstance(error, InputError):
                error.add_note("".join(format_exception(error)).rstrip())
            pipe.send(error)


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the end: a process started inside is whole, and never gets a Ctrl-C at all.

    It inherits Ctrl-C blocked, so that none reaches it before it ignores them itself. SIGTERM is how it is ended.
    """
    resource_tracker.ensure_running()  # started inside, it would let Ctrl-C through again
    held: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = threading.current_thread() is threading.main_thread()  # no other sets handlers, and none is called there
    taken = [number for number, handler in before.items() if ours and callable(handler)]
    try:
        for number in taken:
            signal.signal(number, lambda number, _: held.append(number))
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    finally:
        for number in taken:
            signal.signal(number, before[number])
    if held:
        signal.raise_signal(held[0])
