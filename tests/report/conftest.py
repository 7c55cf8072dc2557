"""What reports are of in these tests: a small bundle, runs of it, an explanation, sweeps; made once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mixarray.trace.bundle import read_bundle
from mixarray_analysis.cli import main
from mixarray_analysis.experiment import Findings, Shares, simulate_plan
from mixarray_analysis.plan import Layout, Plan
from mixarray_analysis.report.command import write_report
from mixarray_analysis.summary import SummaryRow, write_tidy
from mixarray_analysis.sweeping import write_tables
from mixarray_analysis.sweeps.api import sweep
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SHAPE = SwinShape("small", (16, 32), (2, 4), (1, 2), window=4)
HOSTILE = "</script><script>alert(1)</script><!--&amp;\u2028\"'`"
"""Not a name of a directory, but of an accelerator in a summary."""
HOSTILE_DIRECTORY = "run <img src=x onerror=alert(1)> & <script>"

SLOW_MACHINE_MS = 120_000
DESK = {"width": 1280, "height": 900}

LONG = "plain_" + "long" * 20
"""A name that no phone shows on one line."""


@dataclass(frozen=True)
class Places:
    """Directories that reports are made of; `summary` holds HOSTILE as an accelerator."""

    bundle: Path
    run: Path
    plain: Path
    gemm: Path
    explanation: Path
    summary: Path
    sweep: Path


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    root = tmp_path_factory.mktemp("report")
    found = Places(*(root / name for name in ("bundle", HOSTILE_DIRECTORY, LONG, "gemm", "why", "summary", "sweep")))
    random_bundle(SHAPE, 64, 64, 400, 0, found.bundle)
    for options in (
        [str(found.bundle), "-o", str(found.run), "--timeline"],
        [str(found.bundle), "-a", "plain_int8_32x32", "-o", str(found.plain)],
        ["--gemm", "64,64,64", "--bits", "4,4", "-o", str(found.gemm)],
    ):
        assert main(["simulate", *options, "-q"]) == 0
    assert main(["explain", str(found.run), "-o", str(found.explanation), "-q"]) == 0
    _write_summary(found.summary)
    spec = {
        "schema_version": "1.0",
        "models": [{"bundle": str(found.bundle)}],
        "accelerators": ["packed_w4_32x32"],
        "grid": {"ratio": [0, 0.4, 0.8], "clock_mhz": [400, 500]},
    }
    sweep(spec, found.sweep)
    return found


SENTENCES = ["packed & sound: 21.4 % of the promised gain arrived.", "plain: <none>."]
DEMO_ACCELERATORS = ("packed_w4_32x32", "plain_int8_32x32")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory as `mixarray demo` leaves it, of the small shape: runs, uniform runs, summaries, sentences."""
    layout = Layout(tmp_path_factory.mktemp("demo") / "demo")
    plan = Plan((0, 400, 800), DEMO_ACCELERATORS, uniform=((8, 8), (4, 4)), jobs=1, quiet=True)
    for ratio in plan.ratios:
        random_bundle(SHAPE, 64, 64, ratio, 0, layout.bundle(ratio))
    runs, uniform = simulate_plan(plan, layout, DEMO_ACCELERATORS)
    shares = {ratio: Shares(read_bundle(layout.bundle(ratio)).ratio_actual, 0.0) for ratio in plan.ratios}
    write_tables(Findings(DEMO_ACCELERATORS, {}, shares, runs, uniform), layout)
    (layout.root / "sentences.txt").write_text("".join(f"{one}\n" for one in SENTENCES))
    return layout.root


def summary_row(ratio: float, latency_ms: float, energy_uj: float) -> SummaryRow:
    """A row whose accuracy falls and whose speedups rise with the ratio."""
    accuracy = 0.7 - ratio / 10
    measured = accuracy, accuracy - 0.1, accuracy + 0.1, 100
    return SummaryRow(
        ratio, ratio, *measured, 1 + ratio, 1 + ratio / 5, 1e6, latency_ms, energy_uj, 0.5, 0.2, setting=f"{ratio:g}"
    )


def _write_summary(directory: Path) -> None:
    """Two accelerators at three ratios; HOSTILE is the faster one, the other spends less."""
    rows = [
        (name, summary_row(ratio, latency_ms - ratio, energy_uj - 1000 * ratio))
        for name, latency_ms, energy_uj in (("packed", 7.0, 7000.0), (HOSTILE, 6.9, 7100.0))
        for ratio in (0.0, 0.4, 0.8)
    ]
    directory.mkdir()
    write_tidy(rows, directory)


@dataclass
class Parsed:
    """A page as a browser's parser sees it."""

    elements: list[tuple[str, dict[str, str | None]]]
    texts: dict[str, list[str]]

    @property
    def data(self) -> Mapping[str, Any]:
        """What its script element of JSON holds."""
        found: Mapping[str, Any] = json.loads(self.texts["application/json"][0])
        return found


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Parsed([], {})
        self._kind = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.found.elements.append((tag, attributes))
        self._kind = str(attributes.get("type", tag))

    def handle_endtag(self, tag: str) -> None:
        self._kind = ""

    def handle_data(self, data: str) -> None:
        if self._kind:
            self.found.texts.setdefault(self._kind, []).append(data)


def parse(page: str) -> Parsed:
    """Parse a page; scripts end where HTML ends them, whatever the data wanted."""
    parser = _Parser()
    parser.feed(page)
    return parser.found


@pytest.fixture(scope="module")
def report(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = [places.run, places.plain, places.explanation, places.summary, places.sweep]
    return write_report(sources, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # no sandbox: as root, as in a container, Chromium has none; the page is ours
        opened = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield opened
        opened.close()


class Opened:
    """A page with what its console and the network saw."""

    def __init__(self, browser: Browser, report: Path, viewport: Any, scheme: Any = "light") -> None:
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(SLOW_MACHINE_MS)
        self.said: list[str] = []
        self.loaded: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.loaded.append(request.url))
        self.page.goto(report.as_uri())
        self.page.wait_for_selector("#points .scatterlayer .point")
