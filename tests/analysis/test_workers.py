"""Tasks on several processes: in order, with what goes wrong, and Ctrl-C that nobody but the first process sees."""

from __future__ import annotations

import math
import operator
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from mixarray.errors import InputError
from mixarray_analysis.parallel import run_tasks
from mixarray_analysis.workers import held_interrupts

PATIENCE_SECONDS = 120.0
SLEEPER = """
import time
from mixarray_analysis.parallel import run_tasks

if __name__ == "__main__":
    try:
        run_tasks(time.sleep, [60] * 4, 2, print)
    except KeyboardInterrupt:
        print("stopped")
"""


def silent(done: int, total: int) -> None:
    pass


def children_of(process: int) -> list[str]:
    """Processes that work for it, by number."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    with suppress(FileNotFoundError):
        return [one for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
    return []


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.001)


def test_answers_are_in_the_order_of_the_tasks_whichever_is_done_first() -> None:
    told: list[tuple[int, int]] = []
    tasks = [["b", "a"], ["c"], ["f", "e", "d"], []]
    assert run_tasks(sorted, tasks, 2, lambda *both: told.append(both)) == [["a", "b"], ["c"], ["d", "e", "f"], []]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert run_tasks(sorted, tasks, 1, silent) == run_tasks(sorted, tasks, 8, silent)
    assert run_tasks(sorted, [], 2, silent) == []


def test_what_goes_wrong_is_raised_with_where_it_was() -> None:
    with pytest.raises(ValueError, match="math domain error") as raised:
        run_tasks(math.sqrt, [4, -1], 2, silent)
    assert "workers.py" in raised.value.__notes__[0]
    with pytest.raises(InputError, match="exit code 7"):
        run_tasks(os._exit, [7, 7], 2, silent)


@pytest.mark.usefixtures("stoppable")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupts_are_held_until_the_process_is_started(number: signal.Signals) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    before = signal.getsignal(number), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    steps = []
    with pytest.raises(KeyboardInterrupt), held_interrupts():
        steps.append(os.kill(os.getpid(), number))
    assert steps == [None], "not before its end"
    assert (signal.getsignal(number), signal.pthread_sigmask(signal.SIG_BLOCK, [])) == before
    with pytest.raises(ZeroDivisionError), held_interrupts():
        operator.truediv(1, 0)
    assert (signal.getsignal(number), signal.pthread_sigmask(signal.SIG_BLOCK, [])) == before


def test_processes_are_started_from_any_thread() -> None:
    found: list[list[int]] = []
    thread = threading.Thread(target=lambda: found.append(run_tasks(abs, [-1, -2], 2, silent)))
    thread.start()
    thread.join()
    assert found == [[1, 2]]


@pytest.mark.parametrize(("seconds", "workers"), [(0, 1), (0.02, 2), (0.1, 2), (1.5, 2)])
def test_ctrl_c_stops_tasks_at_once_and_without_a_word_of_theirs(seconds: float, workers: int, tmp_path: Path) -> None:
    """At the first process, while both start, and while both work."""
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    process = subprocess.Popen(
        [sys.executable, "sleeper.py"],
        cwd=tmp_path,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: len(children_of(process.pid)) >= workers)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    stopped = time.monotonic()
    assert process.communicate(timeout=PATIENCE_SECONDS) == ("stopped\n", "")
    assert time.monotonic() - stopped < 30, "not when the tasks are done"
