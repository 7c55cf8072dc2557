"""What reports are of in these tests: a small bundle, runs of it, an explanation, sweeps; made once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mixarray_analysis.cli import main
from mixarray_analysis.summary import SummaryRow, write_tidy
from mixarray_analysis.sweeps.api import sweep
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

SHAPE = SwinShape("small", (16, 32), (2, 4), (1, 2), window=4)
HOSTILE = "</script><script>alert(1)</script><!--&amp;\u2028\"'`"
"""Not a name of a directory, but of an accelerator in a summary."""
HOSTILE_DIRECTORY = "run <img src=x onerror=alert(1)> & <script>"

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
