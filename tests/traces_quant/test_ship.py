"""What is shipped belongs together."""

from __future__ import annotations

import pytest

from mixarray.errors import InputError
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.quantization import ship
from mixarray_traces.record.images import canvas_images


def test_the_shipped_quantizers_belong_to_the_shipped_weights() -> None:
    model = ship.load_shipped_quantized()
    assert model.source == "trained"
    assert model.options.low_bits == 4
    assert model.plan(800, (ImageFacts(),)).ratios.nominal == 800
    assert canvas_images(1, 128)[0].name == "test-0-0"


def test_quantizers_of_another_model_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ship, "_weights_sha256", lambda: "0" * 64)
    with pytest.raises(InputError, match="another detector"):
        ship.load_shipped_quantized()
