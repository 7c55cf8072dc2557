"""Shared by the tests of the Python API: a bundle of a small Swin."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixarray_traces.record import SwinShape, random_bundle

SMALL = SwinShape("small", channels=(32, 64), depths=(2, 2), heads=(1, 2))


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 and 16 windows of 7x7 tokens, 40 % of them low."""
    return random_bundle(SMALL, 224, 224, 400, 0, tmp_path_factory.mktemp("api") / "small <0.4>")
