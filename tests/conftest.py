"""What every test shares: the optional parts, and turning skips into failures where nothing may be skipped.

`@pytest.mark.needs("part")` skips a test whose optional part is missing; OPTIONAL_PARTS is the one list of them.
With MIXARRAY_FAIL_ON_SKIP=1 (continuous integration) a skip is a failure.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from mixarray_analysis.validation.rtl.toolchain import VERILATOR
from mixarray_analysis.validation.scalesim.peer import SCALESIM

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts background jobs deaf to Ctrl-C; what tests start would inherit that, and never stop when told to.
    signal.signal(signal.SIGINT, signal.default_int_handler)

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


@dataclass(frozen=True)
class OptionalPart:
    """Something a test may need beyond `make setup`: whether it is here, and how to get it."""

    present: Callable[[], bool]
    obtain: str


def _module(name: str) -> Callable[[], bool]:
    return lambda: importlib.util.find_spec(name) is not None


OPTIONAL_PARTS = {
    "transformers": OptionalPart(_module("transformers"), "pip install 'mixarray[hf]' (make test-full does)"),
    "pycocotools": OptionalPart(_module("pycocotools"), "pip install 'mixarray[coco]' (make test-full does)"),
    "verilator": OptionalPart(VERILATOR.present, VERILATOR.obtain),
    "scalesim": OptionalPart(SCALESIM.present, SCALESIM.obtain),
    "browser": OptionalPart(
        lambda: _module("playwright")() and shutil.which("chromium") is not None,
        "apt-get install chromium, and pip install 'mixarray[browser]' (make test-full does)",
    ),
    "notebooks": OptionalPart(
        lambda: all(_module(name)() for name in ("ipykernel", "nbclient", "nbformat")),
        "pip install 'mixarray[notebooks]' (make test-full does)",
    ),
    "fashion-mnist": OptionalPart(FASHION_MNIST.is_dir, "apt-get install dataset-fashion-mnist"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            part = OPTIONAL_PARTS[name]
            if not part.present():
                pytest.skip(f"needs {name}: {part.obtain}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("MIXARRAY_FAIL_ON_SKIP") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and os.environ.get("MIXARRAY_FAIL_ON_SKIP") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report


@pytest.fixture
def stoppable() -> Iterator[None]:
    """A test that stops what runs in its own process: signals are handled as before afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
