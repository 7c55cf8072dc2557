"""Independent tasks on several processes, results in the order of the tasks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TypeVar

from mixarray_analysis.workers import Workers, give, heard, lost

Task = TypeVar("Task")
Answer = TypeVar("Answer")


def run_tasks(
    work: Callable[[Task], Answer], tasks: Sequence[Task], jobs: int, report: Callable[[int, int], None]
) -> list[Answer]:
    """Apply `work` (a module-level function) to every task; `report(done, all)` is called after each.

    `jobs` processes work side by side (0: one per CPU this process may use). InputError where one of them ended, and
    what `work` raises for a task.
    """
    processes = min(jobs or len(os.sched_getaffinity(0)), len(tasks))
    answers: dict[int, Answer] = {}

    def keep(number: int, answer: Answer) -> None:
        answers[number] = answer
        report(len(answers), len(tasks))

    if processes <= 1:
        for number, task in enumerate(tasks):
            keep(number, work(task))
    else:
        _share(work, tasks, processes, keep)
    return [answers[number] for number in range(len(tasks))]


def _share(
    work: Callable[[Task], Answer], tasks: Sequence[Task], processes: int, keep: Callable[[int, Answer], None]
) -> None:
    """Give every process another task as soon as it has answered."""
    with Workers(_serve, work) as workers:
        left = iter(enumerate(tasks))
        busy = {workers.start(): next(left) for _ in range(processes)}
        for pipe, (_, task) in busy.items():
            give(pipe, task)
        while busy:
            for pipe, answer in heard(list(busy)):
                if answer is EOFError:
                    raise lost(workers.ended(pipe))
                keep(busy.pop(pipe)[0], answer)
                following = next(left, None)
                if following is not None:
                    busy[pipe] = following
                    give(pipe, following[1])


def _serve(work: Callable[[Task], Answer], pipe: Connection) -> None:
    while True:
        pipe.send(work(pipe.recv()))
