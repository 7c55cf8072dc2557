"""A method's marks without a model ask for the operators and encodings that a model quantized by it has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mixarray.errors import InputError
from mixarray.trace.model import Encoding, Role, Topology
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.aiqvit_options import AiqvitOptions, Compensation
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.mptq_options import MptqOptions
from mixarray_traces.quantization.options import CalibrationData, OfqOptions, QuantizationOptions, RepqOptions
from mixarray_traces.record.compensated import compensated
from mixarray_traces.record.graph import Precision
from mixarray_traces.record.method_marks import marks_of
from mixarray_traces.record.recorder import shape_of, topology_of
from mixarray_traces.record.shape import DetectionShape
from mixarray_traces.record.topology import build_topology

SIDE_PX, RANK = 64, 2
METHODS = ("uniform_affine", "repq_vit", "ofq", "mptq_vit", "aiqvit", "aiqvit side path")
Recorded = Callable[[str], Topology]


@pytest.fixture(scope="module")
def recorded(teacher: Detector, tiny_images: torch.Tensor) -> Recorded:
    """The topology of the tiny detector, quantized by a method; each is made once."""
    found: dict[str, Topology] = {}

    def build(name: str) -> Topology:
        if name not in found:
            options = _options(name, len(tiny_images))
            model = quantize(teacher, options, source="random", batches=[tiny_images])
            found[name] = topology_of(model, SIDE_PX, SIDE_PX)
        return found[name]

    return build


def _options(name: str, canvases: int) -> QuantizationOptions:
    method = name.split(maxsplit=1)[0]
    side = Compensation.SIDE_PATH if name != method else Compensation.MERGED
    trained = AiqvitOptions(iterations=1, rank=RANK, batch=1, compensation=side)
    return QuantizationOptions(
        method=method,
        calibration_canvases=canvases,
        calibration_data=CalibrationData.IMAGES,
        repq=RepqOptions() if method == "repq_vit" else None,
        ofq=OfqOptions() if method == "ofq" else None,
        mptq=MptqOptions() if method == "mptq_vit" else None,
        aiqvit=trained if method == "aiqvit" else None,
    )


def marked(name: str, teacher: Detector) -> Topology:
    """The same network with the marks alone."""
    shape, precision, config = shape_of(teacher), Precision(), teacher.config
    quantizers = marks_of(name.split(maxsplit=1)[0])
    if name.endswith("side path"):
        precision, quantizers = compensated(shape, RANK, 8, precision, quantizers)
    head = DetectionShape(config.head_dim, config.head_hidden_dim, config.num_classes + 4)
    return build_topology(shape, SIDE_PX, SIDE_PX, head, precision, quantizers)


def work(found: Topology) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {op.name: (op.kind.value, (op.batch, op.m, op.n, op.k)) for op in found.operators}


def not_asked_for(found: Topology) -> set[str]:
    """Sums that operands of attention products do without, their zero points being 0 by chance."""
    sums = {".left": ".column_sum", ".right": ".row_sum"}
    zero = (one.name for one in found.tensors if one.zero_point == 0 and one.encoding is Encoding.INT)
    return {name.removesuffix(end) + made for name in zero for end, made in sums.items() if name.endswith(end)}


def encodings(found: Topology) -> dict[tuple[str, int], tuple[Encoding, int, bool]]:
    """Of what streams and stays: activations and weights."""
    codes = (one for one in found.tensors if one.role is not Role.STATE)
    return {(one.name, one.window_bits): (one.encoding, one.bits, one.signed) for one in codes}


@pytest.mark.parametrize("name", METHODS)
def test_marks_ask_for_what_a_model_asks_for(recorded: Recorded, teacher: Detector, name: str) -> None:
    expected, found = work(marked(name, teacher)), work(recorded(name))
    chance = expected.keys() - found.keys()
    assert chance <= not_asked_for(recorded(name))
    assert {one: what for one, what in expected.items() if one not in chance} == found
    assert encodings(marked(name, teacher)) == encodings(recorded(name))


@pytest.mark.parametrize(
    ("name", "other"),
    [("repq_vit", "uniform_affine"), ("mptq_vit", "uniform_affine"), ("aiqvit", "repq_vit"), ("ofq", "repq_vit")],
)
def test_marks_of_another_method_differ(recorded: Recorded, teacher: Detector, name: str, other: str) -> None:
    wrong, right = marked(other, teacher), recorded(name)
    assert (work(wrong), encodings(wrong)) != (work(right), encodings(right))


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="uniform_affine, repq_vit, ofq, mptq_vit, aiqvit"):
        marks_of("adalog")
