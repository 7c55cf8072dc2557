"""The shipped detector is the one its card describes, and it detects."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mixarray_traces.data.canvas import GENERATOR_VERSION, open_source
from mixarray_traces.data.items import Split
from mixarray_traces.detection.average_precision import average_precision
from mixarray_traces.detection.evaluate import canvas_stream, evaluate, object_window_shares, object_windows
from mixarray_traces.model.config import SWIN_SMALL_DETECTOR
from mixarray_traces.model.detector import load_shipped_detector
from mixarray_traces.shipped import shipped_path
from mixarray_traces.training.checkpoint import read_record
from mixarray_traces.training.model_card import CardFigures, CardRow, write_model_card

WEIGHTS = shipped_path("detector.safetensors")


def test_record_and_card_belong_to_the_file() -> None:
    record = read_record(WEIGHTS)
    assert record.finished
    assert record.generator_version == GENERATOR_VERSION
    assert [(phase.size, phase.images) for phase in record.phases] == [(112, 200_000), (224, 26_000)]
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() in shipped_path("MODEL_CARD.md").read_text(encoding="utf-8")


def test_it_detects() -> None:
    """A few canvases only; the figures of the card are of 500."""
    detector = load_shipped_detector()
    canvases = canvas_stream(open_source(Split.TEST), 0, 6)
    assert average_precision(list(evaluate(detector, canvases, detector.config.stride, batch=2))).ap50 > 0.6


def test_object_windows_hand_example() -> None:
    """Windows of 28 px in the first stage: over a corner a box touches four; one that ends at an edge stays within."""
    config = SWIN_SMALL_DETECTOR
    boxes = open_source(Split.TEST).draw(0, 0, 64).boxes[:0]
    assert not object_windows(boxes, 64, 64, config, 0).any()
    corner = object_windows([[27, 27, 29, 29]], 84, 84, config, 0)  # type: ignore[arg-type]
    assert corner.reshape(3, 3).tolist() == [[True, True, False], [True, True, False], [False, False, False]]
    edge = object_windows([[0, 0, 28, 28]], 84, 84, config, 0)  # type: ignore[arg-type]
    assert edge.sum() == 1


def test_object_windows_grow_with_the_stage() -> None:
    shares = object_window_shares(canvas_stream(open_source(Split.TEST), 0, 3), SWIN_SMALL_DETECTOR)
    assert len(shares) == 3
    assert 0.2 < shares[0] < shares[1] < shares[2] <= 1


def test_card_is_written_from_the_file(tmp_path: Path) -> None:
    row = CardRow("fp32", 0.7, 0.69, 0.71, 0.5, 500)
    write_model_card(tmp_path / "card.md", WEIGHTS, CardFigures((row,), 448, 0, (0.3, 0.6, 0.9)))
    text = (tmp_path / "card.md").read_text(encoding="utf-8")
    assert "| fp32 | 0.700 | 0.690 to 0.710 | 0.500 | 500 |" in text
    assert "1,425,532 parameters" in text
    assert "200,000 canvases of 112 px" in text
    assert [file.name for file in tmp_path.iterdir()] == ["card.md"]
    with pytest.raises(ValueError, match=r"gone\.safetensors: no such file"):
        write_model_card(tmp_path / "card.md", tmp_path / "gone.safetensors", CardFigures((), 448, 0, ()))
