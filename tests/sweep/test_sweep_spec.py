"""Specifications: what is refused is named by its path; ranges are exact; the schema is JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.errors import InputError
from mixarray.trace.ratio import Promotion
from mixarray_analysis.sweeps.axes import Range
from mixarray_analysis.sweeps.models import open_models
from mixarray_analysis.sweeps.spec import parse_spec, read_spec, spec_schema

GOOD: dict[str, Any] = {
    "schema_version": "1.0",
    "models": [{"shape": "swin_t", "inputs": [224, "800x1333"]}],
    "accelerators": ["packed_w4_32x32"],
    "grid": {"ratio": {"from": 0, "to": 0.8, "step": 0.1}, "arrays.0.rows": {"from": 8, "to": 64, "times": 2}},
}
DRAWN = {"method": "random", "points": 3, "axes": {"ratio.pair": [0, 0.4]}}


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"modles": []}, "modles", "unknown field; allowed: schema_version, description, models"),
        ({"schema_version": "2.0"}, "schema_version", "'1.0'"),
        ({"schema_version": 1.0}, "schema_version", 'write "1.0", with quotes'),
        ({"models": []}, "models", "at least 1"),
        ({"models": [{"shape": "swin_t"}]}, "models.0", "at least one input size"),
        ({"models": [{"shape": "swin_t", "bundle": "b", "inputs": [224]}]}, "models.0", "found shape, bundle"),
        ({"models": [{"bundle": "b", "inputs": [224]}]}, "models.0", "inputs does not go with bundle"),
        ({"models": [{"shape": "swin_t", "inputs": [0]}]}, "models.0.inputs", "0 is no input size"),
        ({"models": [{"shape": "swin_t", "inputs": [7], "branch_bits": [4, 8]}]}, "models.0", "fewer bits"),
        ({"grid": {"ratio": 0.4}}, "grid.ratio", "write a list of values, or a range"),
        ({"grid": {"ratio": {"from": 0, "to": 0.85, "step": 0.1}}}, "grid.ratio", "does not reach 0.85"),
        ({"grid": {"ratio": {"from": 0, "to": 0.8}}}, "grid.ratio", "a step or times"),
        ({"grid": {"ratio": {"from": 0, "to": 0.8, "setp": 1}}}, "grid.ratio.setp", "allowed: from, to, step, times"),
        ({"grid": {"clock_mhz": [1, 2, 1]}}, "grid", "clock_mhz: a value stands twice: 1"),
        ({"grid": {"size": [{"a": 1}, {"b": 1}]}}, None, "of the same keys"),
        ({"set": {"ratio": 0.4}}, None, "'ratio' is given twice"),
        ({"sample": DRAWN | {"method": "sobol"}}, "sample.method", "'latin_hypercube'"),
        ({"sample": DRAWN | {"points": 0}}, "sample.points", "greater than or equal to 1"),
        ({"constraints": {"relations": ["rows = columns"]}}, "constraints.relations", "is no relation"),
        ({"constraints": {"equal": [{"quantity": "mass", "to": 1}]}}, "constraints.equal.0.quantity", "area_mm2"),
        (
            {"constraints": {"equal": [{"quantity": "area_mm2", "to": -1}]}},
            "constraints.equal.0.to",
            "-1.0 is not above 0",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(change: dict[str, Any], path: str | None, message: str) -> None:
    parse_spec(GOOD, "good")
    with pytest.raises(InputError, match=r"^f\.yaml") as caught:
        parse_spec(GOOD | change, "f.yaml")
    assert caught.value.field == path
    assert message in caught.value.message


def test_a_file_is_read_and_a_broken_one_refused(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(json.dumps(GOOD))
    assert read_spec(file) == parse_spec(GOOD, "good")
    for broken in ("- a list", "a: 1\na: 2", "a: ["):
        file.write_text(broken)
        with pytest.raises(InputError, match=r"spec\.yaml"):
            read_spec(file)


def test_what_is_written_reads_back_equal() -> None:
    spec = parse_spec(GOOD | {"sample": DRAWN | {"axes": {"pruning.pair": [0, 0.1]}}}, "good")
    assert parse_spec(json.loads(json.dumps(spec.to_data())), "again") == spec


def test_the_schema_knows_every_field() -> None:
    schema = spec_schema()
    assert set(GOOD) <= set(schema["properties"])
    assert schema["additionalProperties"] is False
    assert set(schema["$defs"]["Range"]["properties"]) == {"from", "to", "step", "times"}


@given(first=st.integers(0, 800), step=st.integers(1, 200), steps=st.integers(0, 20))
def test_ranges_by_steps_are_exact(first: int, step: int, steps: int) -> None:
    last = first + step * steps
    found = Range.model_validate({"from": first / 1000, "to": last / 1000, "step": step / 1000}).values()
    assert [round(value * 1000) for value in found] == list(range(first, last + 1, step))
    assert found == tuple(thousandths / 1000 for thousandths in range(first, last + 1, step))


def test_ranges_by_factors() -> None:
    found = Range.model_validate({"from": 8, "to": 128, "times": 2}).values()
    assert found == (8, 16, 32, 64, 128)
    assert all(isinstance(value, int) for value in found)


def test_a_model_is_opened_at_every_size() -> None:
    every = [one for model in parse_spec(GOOD, "good").models for one in open_models(model, Promotion.REFUSED)]
    assert [(one.height_px, one.width_px, one.depths) for one in every] == [
        (224, 224, (2, 2, 6, 2)),
        (800, 1333, (2, 2, 6, 2)),
    ]
    assert len({one.sha256 for one in every}) == 2
