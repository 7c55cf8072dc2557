"""A model that is simulated in milliseconds, and specifications of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mixarray_analysis.sweeps.spec import SweepSpec, parse_spec
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import SwinShape

SHAPE = SwinShape("small", (16, 32), (2, 4), (1, 2), window=4)
"""One block pair in the first stage, two in the second."""


def spec_file(spec: SweepSpec, path: Path) -> str:
    path.write_text(json.dumps(spec.to_data()))
    return str(path)


@pytest.fixture(scope="session")
def small() -> SwinShape:
    return SHAPE


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_bundle(SHAPE, 64, 64, 0, 0, tmp_path_factory.mktemp("sweep") / "tiny")


@pytest.fixture
def make_spec(tiny: Path) -> Callable[..., SweepSpec]:
    def make(**fields: Any) -> SweepSpec:
        start = {"schema_version": "1.0", "models": [{"bundle": str(tiny)}], "accelerators": ["packed_w4_32x32"]}
        return parse_spec(start | fields, "test")

    return make
