"""`mixarray record` without a model: a method's marks, a side path and weight bits, and refusals where a model runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mixarray.errors import InputError
from mixarray.trace.bundle import Bundle, read_bundle
from mixarray.trace.model import Encoding, OperatorKind, Role
from mixarray_analysis.recording import RecordRequest, record_request
from mixarray_traces.quantization.side_names import is_side


def shape(out: Path) -> RecordRequest:
    return RecordRequest(out, 0, "swin_t", input_size=(224, 224), weights="random", score="random")


def recorded(request: RecordRequest) -> Bundle:
    return read_bundle(record_request(request))


def encodings(bundle: Bundle, ending: str) -> set[Encoding]:
    return {one.encoding for one in bundle.topology.tensors if one.name.endswith(ending)}


@pytest.mark.parametrize(
    ("method", "softmax", "gelu"),
    [
        (None, Encoding.INT, Encoding.INT),
        ("repq_vit", Encoding.LOG_SQRT2, Encoding.INT),
        ("mptq_vit", Encoding.INT, Encoding.TWO_REGION),
        ("aiqvit", Encoding.INTERVAL, Encoding.INT),
    ],
)
def test_marks_are_recorded(tmp_path: Path, method: str | None, softmax: Encoding, gelu: Encoding) -> None:
    bundle = recorded(replace(shape(tmp_path / "bundle"), method=method))
    assert encodings(bundle, ".attn.av.left") == {softmax}
    assert encodings(bundle, ".mlp.fc2.input") == {gelu}


def test_a_side_path_and_weight_bits_are_recorded(tmp_path: Path) -> None:
    bundle = recorded(replace(shape(tmp_path / "bundle"), rank=8, weight_bits=6, branch_bits=(6, 4)))
    thin = [op for op in bundle.topology.operators if is_side(op.name) and op.kind is OperatorKind.GEMM]
    assert len(thin) == 2 * 4 * 12
    assert all(8 in (op.n, op.k) for op in thin)
    weights = [one for one in bundle.topology.tensors if one.role is Role.WEIGHT and ".blocks." in one.name]
    assert {one.bits for one in weights if is_side(one.name)} == {8}
    assert {one.bits for one in weights if not is_side(one.name)} == {6}


@pytest.mark.parametrize(
    ("change", "option"),
    [({"method": "repq_vit"}, "--method"), ({"rank": 4}, "--rank"), ({"weight_bits": 4}, "--weight-bits")],
)
def test_a_model_has_its_own_marks(tmp_path: Path, change: dict[str, int | str], option: str) -> None:
    with pytest.raises(InputError, match=f"{option}: is for named models"):
        record_request(replace(RecordRequest(tmp_path / "bundle", 0), **change))  # type: ignore[arg-type]


def test_an_unknown_method_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'adalog' is unknown"):
        record_request(replace(shape(tmp_path / "bundle"), method="adalog"))
