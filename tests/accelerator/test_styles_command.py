"""`mixarray accelerators styles`: the legal table, for people and for programs."""

from __future__ import annotations

import json

import pytest

from mixarray.accelerator.sorters import sorters
from mixarray.accelerator.styles import legal_pairs
from mixarray.accelerator.vector_styles import vector_styles
from mixarray.trace.model import OperatorKind
from mixarray_analysis.cli import main


def unfolded(text: str) -> str:
    return " ".join(text.split())


def test_the_table_shows_every_pair_and_every_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("accelerators", "styles")) == 0
    text = capsys.readouterr().out
    for style, dataflow, reason in legal_pairs():
        line = next(line.split() for line in text.splitlines() if line.split()[:2] == [style.name, dataflow.value])
        assert line[2] == ("yes" if reason is None else "no")
        assert reason is None or f"{style.name}, {dataflow}: {reason}" in unfolded(text)


def test_the_table_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("accelerators", "styles", "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    pairs = found["pe_styles"]
    assert [(entry["pe_style"], entry["dataflow"], entry["reason"]) for entry in pairs] == [
        (style.name, dataflow.value, reason) for style, dataflow, reason in legal_pairs()
    ]
    assert all(entry["legal"] is (entry["reason"] is None) for entry in pairs)
    assert {entry["vector_style"]: entry["passes"]["softmax"] for entry in found["vector_styles"]} == {
        name: style.passes[OperatorKind.SOFTMAX] for name, style in vector_styles().items()
    }
    assert [entry["sorter"] for entry in found["sorters"]] == sorted(sorters())


def test_vector_styles_and_sorters_are_listed_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("accelerators", "styles")) == 0
    text = capsys.readouterr().out
    softmax = next(line.split() for line in text.splitlines() if line.startswith("softmax"))
    assert softmax[1:] == [str(vector_styles()[name].passes[OperatorKind.SOFTMAX]) for name in sorted(vector_styles())]
    assert all(sorter.source in unfolded(text) for sorter in sorters().values())
    assert max(len(line) for line in text.splitlines()) <= 80
