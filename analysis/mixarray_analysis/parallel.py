"""Independent tasks on several processes, results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")


def run_tasks(
    work: Callable[[Task], Answer], tasks: Sequence[Task], jobs: int, report: Callable[[int, int], None]
) -> list[Answer]:
    """Apply `work` (a module-level function) to every task; `report(done, all)` is called after each.

    `jobs` processes work side by side (0: one per CPU this process may use). They are spawned, not forked, because
    the threads of PyTorch do not survive a fork.
    """
    processes = min(jobs or len(os.sched_getaffinity(0)), len(tasks))
    answers: list[Answer] = []
    if processes <= 1:
        for task in tasks:
            answers.append(work(task))
            report(len(answers), len(tasks))
        return answers
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        try:
            for answer in pool.map(work, tasks):
                answers.append(answer)
                report(len(answers), len(tasks))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return answers
