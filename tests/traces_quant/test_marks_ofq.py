"""OFQ's marks in a trace, each switched off in a quantized model: it changes the counters it should, and no others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.errors import InputError
from mixarray.mapping import parameters
from mixarray.mapping.parameters import parameter_bits
from mixarray.simulation import Simulation, simulate
from mixarray.trace.model import Encoding, OperatorKind, Role, Topology
from mixarray.trace.ratio import group_sizes
from mixarray.trace.workload import WindowCount, build_workload
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.affine import WeightParams
from mixarray_traces.quantization.arithmetic import Calibration
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.low_norms import attach_low_norms, copies_of_norms
from mixarray_traces.quantization.lsq import LsqParams
from mixarray_traces.quantization.options import LearnedVectors, OfqOptions, QuantizationOptions, QueryKey
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.quantization.quantizers import ActivationQuantizer, WeightQuantizer
from mixarray_traces.quantization.statsq import StatsqParams
from mixarray_traces.record.recorder import shape_of, topology_of
from mixarray_traces.record.topology import block_grids

SIDE, RATIO, HIGH, LOW = 112, 400, 4, 2
BRICKS, PACKED = "bricks16_16x32", "packed_w4_32x32"
OFQ = QuantizationOptions(
    method="ofq", high_bits=HIGH, low_bits=LOW, calibration_canvases=1, calibration_size=SIDE, ofq=OfqOptions()
)
COMPUTE = ("arrays.", "vector_units.", "dram_channels.")
"""Components whose counts are work or traffic; readers of sums fetch them from the buffers besides."""

Counts = dict[tuple[str, str], int]


@pytest.fixture(scope="module")
def ofq(detector: Detector) -> QuantizedDetector:
    return quantize(detector, OFQ, source="random")


def with_quantizers(
    model: QuantizedDetector,
    activation: Callable[[str, LsqParams], ActivationQuantizer] = lambda name, found: found,
    weight: Callable[[WeightQuantizer], WeightQuantizer] = lambda found: found,
) -> QuantizedDetector:
    """The model with its quantizers exchanged."""
    known = model.calibration.activations
    activations = {key: activation(key[0], one) for key, one in known.items() if isinstance(one, LsqParams)}
    assert activations.keys() == known.keys()
    weights = {name: weight(one) for name, one in model.calibration.weights.items()}
    calibration = Calibration(activations, weights)
    return QuantizedDetector(model.detector, model.options, calibration, model.source, model.folding)


def symmetric(found: WeightQuantizer) -> WeightQuantizer:
    return WeightParams(found.bits, found.steps)


def one_step(name: str, found: LsqParams) -> LsqParams:
    return replace(found, steps=found.steps.mean())


def no_vectors(name: str, found: LsqParams) -> LsqParams:
    return replace(found, before=None, after=None)


def signed_behind(ending: str) -> Callable[[str, LsqParams], LsqParams]:
    return lambda name, found: replace(found, unsigned=found.unsigned and not name.endswith(ending))


def run(model: QuantizedDetector, accelerator: str = BRICKS, low_bits: int = LOW) -> Simulation:
    """The model at a fixed choice of windows; low_bits: what those of the low branch run at."""
    assignment = {}
    for place, grid in block_grids(shape_of(model.detector), SIDE, SIDE).items():
        high, _, _ = group_sizes(grid.windows, RATIO)
        tokens = grid.window_tokens()
        counts = (HIGH, high, sum(tokens[:high])), (low_bits, grid.windows - high, sum(tokens[high:]))
        assignment[place] = tuple(WindowCount(*count) for count in counts if count[1])
    workload = build_workload("ofq", topology_of(model, SIDE, SIDE), assignment, 49)
    return simulate(workload, load_accelerator(accelerator))


@pytest.fixture(scope="module")
def done(ofq: QuantizedDetector) -> Simulation:
    return run(ofq)


def counted(done: Simulation, components: tuple[str, ...] = ("",)) -> Counts:
    """Actions by (operator, action)."""
    found: Counter[tuple[str, str]] = Counter()
    for counts in done.execution.operators:
        name = done.workload.operators[counts.operator].operator.name
        for action, count in counts.actions.items():
            if action.component.startswith(components):
                found[name, f"{action.component}.{action.name}"] += count
    return dict(found)


def changed(one: Counts, other: Counts) -> set[str]:
    """Operators whose counts differ."""
    return {key[0] for key in one.keys() | other.keys() if one.get(key, 0) != other.get(key, 0)}


def gemms(topology: Topology, weights: bool) -> set[str]:
    held = {tensor.tensor for tensor in topology.tensors if tensor.role is Role.WEIGHT}
    found = (op for op in topology.operators if op.kind is OperatorKind.GEMM)
    return {op.name for op in found if weights == any(entry.tensor in held for entry in op.inputs)}


def of_kind(topology: Topology, kind: OperatorKind) -> set[str]:
    return {op.name for op in topology.operators if op.kind is kind}


def test_half_integers_cost_the_row_sums_of_every_linear_layer(ofq: QuantizedDetector, done: Simulation) -> None:
    """An addition for each of the K codes of a row; symmetric integers cost none. Nothing else computes or moves."""
    half, whole = done, run(with_quantizers(ofq, weight=symmetric))
    topology = topology_of(ofq, SIDE, SIDE)
    linear = gemms(topology, weights=True)
    assert {t.encoding for t in topology.tensors if t.role is Role.WEIGHT} == {Encoding.HALF_INT}
    sums = {f"{name}.row_sum" for name in linear}
    assert of_kind(topology, OperatorKind.ROW_SUM) == sums
    assert changed(counted(half, COMPUTE), counted(whole, COMPUTE)) == sums
    added = sum(count for (_, action), count in counted(half).items() if action.endswith("row_sum_element"))
    rows = {op.operator.name: sum(g.batch * g.rows for g in op.groups) for op in half.workload.operators}
    depth = {op.name: op.k for op in topology.operators}
    assert added == sum(rows[name] * depth[name] for name in linear)


def test_readers_of_row_sums_fetch_them_and_no_others(ofq: QuantizedDetector, done: Simulation) -> None:
    half, whole = done, run(with_quantizers(ofq, weight=symmetric))
    topology = topology_of(ofq, SIDE, SIDE)
    sums = {op.output for op in topology.operators if op.kind is OperatorKind.ROW_SUM}
    readers = {op.name for op in topology.operators if sums & {entry.tensor for entry in op.inputs}}
    fed = {op.name for op in topology.operators if op.kind is OperatorKind.ROW_SUM}
    assert changed(counted(half), counted(whole)) == readers | fed


def test_unsigned_softmax_codes_cost_the_column_sums_of_v(ofq: QuantizedDetector, done: Simulation) -> None:
    """Signed ones have no zero point; then neither attention product has a sum."""
    unsigned, signed = done, run(with_quantizers(ofq, signed_behind(".av.left")))
    topology = topology_of(ofq, SIDE, SIDE)
    sums = {f"{name}.column_sum" for name in gemms(topology, weights=False) if name.endswith(".av")}
    assert of_kind(topology, OperatorKind.COLUMN_SUM) == sums
    assert len(sums) == sum(ofq.detector.backbone.config.depths)
    assert changed(counted(unsigned, COMPUTE), counted(signed, COMPUTE)) == sums
    added = sum(count for (_, action), count in counted(unsigned).items() if action.endswith("column_sum_element"))
    v = [op for op in topology.operators if op.name.endswith(".av")]
    assert added == sum(op.batch * op.k * op.n for op in v)


def test_unsigned_codes_behind_a_gelu_cost_nothing(ofq: QuantizedDetector, done: Simulation) -> None:
    """Their zero point times the sum of a column of weights is known before the run: a part of the bias."""
    signed = with_quantizers(ofq, signed_behind(".fc2.input"))
    zeros = [{t.zero_point for t in topology_of(model, SIDE, SIDE).tensors} for model in (ofq, signed)]
    assert zeros == [{0, -(1 << HIGH - 1), -(1 << LOW - 1), -128}, {0, -(1 << HIGH - 1), -(1 << LOW - 1)}]
    assert counted(done) == counted(run(signed))


@pytest.mark.parametrize("change", [one_step, no_vectors])
def test_steps_by_position_and_vectors_are_not_priced(
    ofq: QuantizedDetector, done: Simulation, change: Callable[[str, LsqParams], LsqParams]
) -> None:
    """The price of both is left out (docs: qat, own_work): this holds what the text says."""
    other = with_quantizers(ofq, change)
    assert {_mark(one, change) for one in _lsq(other)} == {False}
    assert {_mark(one, change) for one in _lsq(ofq)} == {True, False}
    assert counted(done) == counted(run(other))


def _lsq(model: QuantizedDetector) -> list[LsqParams]:
    return [one for one in model.calibration.activations.values() if isinstance(one, LsqParams)]


def _mark(one: LsqParams, change: Callable[[str, LsqParams], LsqParams]) -> bool:
    return one.steps.dim() > 0 if change is one_step else one.before is not None or one.after is not None


def test_the_low_branch_loads_a_layernorm_set_whether_trained_apart_or_not(
    ofq: QuantizedDetector, done: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gamma / step and beta / step + zero point differ by branch: 2 x C numbers of 16 bits for each norm of a block
    with two groups. Without them only these norms read less from DRAM.
    """
    pairs = {name: replace(pair, gamma1=pair.gamma1 + 1) for name, pair in copies_of_norms(ofq.detector).items()}
    apart = attach_low_norms(ofq.detector, pairs)
    trained = QuantizedDetector(apart, ofq.options, ofq.calibration, ofq.source, ofq.folding)
    assert counted(run(trained)) == counted(done)
    norms = [g for g in done.workload.operators if g.operator.kind is OperatorKind.LAYERNORM and len(g.groups) > 1]
    expected = {g.operator.name: 2 * 16 * g.operator.n for g in norms}
    assert {g.operator.name: parameter_bits(g, has_weights=False) for g in norms} == expected
    assert expected
    monkeypatch.setattr(parameters, "PARAMETERS_PER_CHANNEL", 0)
    without = run(ofq)
    assert changed(counted(done), counted(without)) == set(expected)
    key = "dram_channels.0.read_bits"
    saved = {name: counted(done)[name, key] - counted(without).get((name, key), 0) for name in expected}
    burst = load_accelerator(BRICKS).dram_channels[0].burst_bits
    assert saved == {name: -(-bits // burst) * burst for name, bits in expected.items()}


def test_two_bits_of_the_low_branch_change_modes_and_traffic_alone(ofq: QuantizedDetector, done: Simulation) -> None:
    """At W4A4 in both branches of the same windows: GEMMs of the blocks run in other modes, no other work changes."""
    two, four = done, run(ofq, low_bits=HIGH)
    blocks = {op.name for op in topology_of(ofq, SIDE, SIDE).operators if op.in_block}
    modes = changed(counted(two, ("arrays.",)), counted(four, ("arrays.",)))
    assert blocks - modes == set()
    assert modes <= blocks
    elements = [
        {key: n for key, n in counted(one, ("vector_units.",)).items() if _works_alike(key[0])} for one in (two, four)
    ]
    assert elements[0] == elements[1]
    assert elements[0]
    active = {action for (_, action), count in counted(two, ("arrays.",)).items() if count}
    assert {f"arrays.0.pe_cycle_{mode}" for mode in ("2x4", "2x2", "4x4", "8x8")} <= active


def _works_alike(name: str) -> bool:
    """Not the choice of windows: a model at one precision ranks nothing."""
    return ".rank." not in name and not name.endswith(("token_map", "token_sum"))


def test_two_bits_gain_nothing_on_an_array_of_four(ofq: QuantizedDetector) -> None:
    """The packed array runs them in its (4,4) mode: the same streams."""
    cycles = [run(ofq, PACKED, bits).execution for bits in (LOW, HIGH)]
    streams = [sum(count for (_, kind), count in one.busy_cycles.items() if kind.value == "stream") for one in cycles]
    assert streams[0] == streams[1] > 0


def test_reparameterised_scores_are_refused(detector: Detector) -> None:
    options = OfqOptions(LearnedVectors.NONE, QueryKey.REPARAMETERISED)
    model = quantize(detector, replace(OFQ, ofq=options), source="random")
    with pytest.raises(InputError, match="a trace has no operators for them"):
        topology_of(model, SIDE, SIDE)


def test_a_mark_that_is_lost_on_the_way_is_noticed(
    ofq: QuantizedDetector, done: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted fault: half-integers that do not say that they have an offset. All row sums are then missing."""
    sums = of_kind(topology_of(ofq, SIDE, SIDE), OperatorKind.ROW_SUM)
    monkeypatch.setattr(StatsqParams, "offsets", None)
    assert changed(counted(done, COMPUTE), counted(run(ofq), COMPUTE)) == sums != set()
