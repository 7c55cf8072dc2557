"""MPTQ-ViT's mark in a trace, codes of two regions: the counter it changes; what bundle and array make of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch

from mixarray.accelerator.load import load_accelerator
from mixarray.array.events import Integers
from mixarray.array.fold import RowRun
from mixarray.array.functional import run_functional
from mixarray.array.problem import Problem
from mixarray.array.regions import Regions
from mixarray.cost.tables import energy_table
from mixarray.cost.unit_energy import unit_energy
from mixarray.cost.zeros import Codes
from mixarray.errors import InputError
from mixarray.mapping.schedule import Action
from mixarray.mapping.tasks import CONDITIONAL_SHIFT
from mixarray.points.simulator import Network
from mixarray.simulation import Simulation, simulate
from mixarray.trace.baseline import uniform_workload
from mixarray.trace.bundle import Bundle, read_bundle
from mixarray.trace.check_topology import check_topology
from mixarray.trace.model import Encoding, OperatorKind, Tensor, Topology
from mixarray.trace.workload import Workload, build_workload
from mixarray_traces.model.detector import Detector
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.mptq_options import MptqOptions, SoftmaxQuantizer
from mixarray_traces.quantization.options import CalibrationData, QuantizationOptions
from mixarray_traces.quantization.quantized import QuantizedDetector
from mixarray_traces.record.graph import ActivationFacts, Precision, Quantizers, WeightFacts
from mixarray_traces.record.images import canvas_images
from mixarray_traces.record.method_marks import marks_of
from mixarray_traces.record.packing import unpack_codes
from mixarray_traces.record.recorder import record
from mixarray_traces.record.topology import build_topology

from .conftest import TOY, toy_assignment

GELU, SOFTMAX = ".mlp.fc2.input", ".attn.av.left"
INPUT_STATIONARY = ("arrays.0.dataflow=input_stationary",)
MACHINES = [
    ("packed_w4_32x32", ()),
    ("decoupled_int8_int4", ()),
    ("plain_int8_os_32x32", ()),
    ("plain_int8_32x32", INPUT_STATIONARY),
]


def topology(*marked: str, shift: int = 3) -> Topology:
    """MPTQ-ViT's trace; tensors whose names end so have two regions, the others are symmetric."""

    def activation(tensor: str, branch: int) -> ActivationFacts:
        if tensor.endswith(marked):
            return ActivationFacts(1.0, 0, Encoding.TWO_REGION, shift, tensor.endswith(GELU))
        return ActivationFacts(1.0, 0)

    return build_topology(TOY, 112, 112, quantizers=Quantizers(activation, lambda name: WeightFacts()))


def workload(*marked: str, shift: int = 3) -> Workload:
    return build_workload(TOY.name, topology(*marked, shift=shift), toy_assignment(), TOY.window**2)


def counters(done: Simulation) -> Mapping[tuple[str, str], int]:
    """Actions by (operator, action)."""
    total: Counter[tuple[str, str]] = Counter()
    for counts in done.execution.operators:
        name = done.workload.operators[counts.operator].operator.name
        for action, count in counts.actions.items():
            total[name, f"{action.component}.{action.name}"] += count
    return total


@pytest.mark.parametrize(("machine", "overrides"), MACHINES)
def test_the_mark_changes_one_counter_of_its_own_gemms_and_its_energy_alone(
    machine: str, overrides: tuple[str, ...]
) -> None:
    accelerator = load_accelerator(machine, overrides)
    on, off = (simulate(workload(*marked), accelerator) for marked in ((GELU, SOFTMAX), ()))
    assert on.execution.total_cycles == off.execution.total_cycles
    assert on.execution.busy_cycles == off.execution.busy_cycles
    first, second = counters(on), counters(off)
    added = {key: count for key, count in first.items() if second[key] != count}
    assert {name.split(".", 4)[4] for name, _ in added} == {"mlp.fc2", "attn.av"}
    assert all(action.endswith(f".{CONDITIONAL_SHIFT}") for _, action in added)
    assert {key: count for key, count in first.items() if key not in added} == dict(second)
    table = energy_table(accelerator.energy_table)
    each = {
        key: unit_energy(Action(key[1].rpartition(".")[0], CONDITIONAL_SHIFT), accelerator, table).value
        for key in added
    }
    spent = sum(each[key] * count for key, count in added.items())
    assert on.energy.total_pj - off.energy.total_pj == pytest.approx(spent, rel=1e-9)


@pytest.mark.parametrize(("machine", "overrides"), MACHINES)
def test_every_product_passes_one_shift_and_a_split_one_two(machine: str, overrides: tuple[str, ...]) -> None:
    """Packed W4: AV of the high branch holds a value of v in two slots, so each product comes in two parts."""
    accelerator = load_accelerator(machine, overrides)
    done = simulate(workload(GELU, SOFTMAX), accelerator)
    found = Counter[str]()
    for (name, action), count in counters(done).items():
        if action.endswith(CONDITIONAL_SHIFT):
            found[name] += count
    expected = Counter[str]()
    for grouped in done.workload.operators:
        op = grouped.operator
        if op.kind is OperatorKind.GEMM and op.name.endswith((".fc2", ".av")) and op.stage >= 0:
            for group in grouped.groups:
                _, mode = accelerator.array_for(group.stream_bits, group.stationary_bits)
                split = machine == "packed_w4_32x32" and op.name.endswith(".av") and group.bits == 8
                assert mode.slots_per_value == (2 if split else 1)
                expected[op.name] += group.batch * group.rows * op.n * op.k * mode.slots_per_value
    assert found == expected


def test_a_table_without_the_shift_is_an_error() -> None:
    accelerator = load_accelerator("packed_w4_32x32")
    table = energy_table(accelerator.energy_table)
    rows = {key: row for key, row in table.rows.items() if key.action != CONDITIONAL_SHIFT}
    assert len(rows) == len(table.rows) - 1
    with pytest.raises(InputError, match=CONDITIONAL_SHIFT):
        unit_energy(Action("arrays.0", CONDITIONAL_SHIFT), accelerator, replace(table, rows=rows))


def test_sums_that_an_accumulator_may_not_hold_are_refused() -> None:
    """fc2 has 128 products of 127 << m by 8 in stage 0, 256 in stage 1: below 2**22 with m = 3, not with 6."""
    machine = load_accelerator("packed_w4_32x32", ("arrays.0.accumulator_bits=23",))
    assert simulate(workload(GELU, shift=3), machine).execution.total_cycles > 0
    with pytest.raises(InputError, match=r"23 bits do not hold the sums of .*mlp\.fc2: 128 products of 8 by 4"):
        simulate(workload(GELU, shift=6), machine)
    assert simulate(workload(), machine).execution.total_cycles > 0


def test_points_equal_their_runs_and_refuse_what_these_refuse() -> None:
    whole, narrow = (load_accelerator("packed_w4_32x32", (f"arrays.0.accumulator_bits={bits}",)) for bits in (32, 23))
    point = Network(topology(GELU, SOFTMAX), TOY.window**2).on(whole).totals(toy_assignment())
    run = simulate(workload(GELU, SOFTMAX), whole)
    assert point.actions == run.execution.actions
    assert point.energy_pj == pytest.approx(run.energy.total_pj, rel=1e-12)
    with pytest.raises(InputError, match="23 bits do not hold the sums"):
        Network(topology(GELU, shift=6), TOY.window**2).on(narrow).totals(toy_assignment())


@pytest.mark.parametrize(
    ("encoding", "shift"), [(Encoding.INT, 1), (Encoding.TWO_REGION, 9), (Encoding.TWO_REGION, -1)]
)
def test_shifts_that_mean_nothing_are_refused(encoding: Encoding, shift: int) -> None:
    found = topology(GELU)
    tensors = tuple(
        replace(one, encoding=encoding, region_shift=shift) if one.name.endswith(GELU) else one for one in found.tensors
    )
    with pytest.raises(InputError, match=r"region_shift: .*allowed: 0 to"):
        check_topology(Topology(found.operators, tensors), "operators", "tensors")


@pytest.fixture(scope="module")
def model(teacher: Detector, tiny_images: torch.Tensor) -> QuantizedDetector:
    options = QuantizationOptions(
        method="mptq_vit",
        calibration_canvases=len(tiny_images),
        calibration_data=CalibrationData.IMAGES,
        mptq=MptqOptions(softmax=SoftmaxQuantizer.TWO_REGION),
    )
    return quantize(teacher, options, source="random", batches=[tiny_images])


@pytest.fixture(scope="module")
def bundle(model: QuantizedDetector, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return read_bundle(record(model, canvas_images(1, 64), tmp_path_factory.mktemp("two") / "bundle", 400))


def entries(bundle: Bundle, name: str) -> dict[int, Tensor]:
    return {one.window_bits: one for one in bundle.topology.tensors if one.name == name}


def codes(bundle: Bundle, key: str, bits: int, part: str = "image-0") -> Integers:
    files = bundle.tensors(part)
    return unpack_codes(files[key], bits, tuple(files[f"{key}.shape"])).astype(np.int64)


def regions_of(tensor: Tensor) -> Regions:
    return Regions(tensor.bits, tensor.region_shift, tensor.signed)


def test_a_bundle_says_step_shift_and_sign_of_each_branch(bundle: Bundle, model: QuantizedDetector) -> None:
    for end, signed in ((GELU, True), (SOFTMAX, False)):
        name = f"stages.0.blocks.1{end}"
        for branch, tensor in entries(bundle, name).items():
            quantizer = model.calibration.activations[name, branch]
            assert (tensor.encoding, tensor.signed, tensor.zero_point) == (Encoding.TWO_REGION, signed, 0)
            assert (tensor.step, regions_of(tensor).shift) == (quantizer.step, getattr(quantizer, "shift", None))
    kinds = {op.kind for op in bundle.topology.operators if op.name.endswith((".av.column_sum", ".fc2.row_sum"))}
    assert not kinds, "symmetric on both sides: nothing to correct"


def test_the_array_forms_fc2_of_both_branches_from_the_bundle_alone(bundle: Bundle, model: QuantizedDetector) -> None:
    """Codes, steps and shifts as recorded; packed W4 streams high and low rows through the same weights."""
    name = "stages.0.blocks.0.mlp.fc2"
    array = load_accelerator("packed_w4_32x32").arrays[0].model_copy(update={"rows": 8, "columns": 8})
    tensors = entries(bundle, f"{name}.input")
    rows = {branch: codes(bundle, f"{name}.input@{branch}", branch)[0][:9] for branch in (8, 4)}
    weights = codes(bundle, f"{name}.weight@4", 4, "weights")[0]
    runs = tuple(RowRun(len(rows[branch]), array.mode(branch, 4), regions_of(tensors[branch])) for branch in (8, 4))
    problem = Problem(runs, weights.shape[1], weights.shape[0])
    sums = run_functional(array, problem, np.concatenate([rows[8], rows[4]]), weights)
    exact, place = model.double(), 0
    steps = bundle.tensors("weights")[f"{name}.weight.steps"]
    for branch in (8, 4):
        tensor, here = tensors[branch], sums[place : place + len(rows[branch])]
        values = torch.from_numpy(regions_of(tensor).multiplicands(rows[branch]) * tensor.step)
        bias = exact.weights()[name].bias
        assert bias is not None
        expected = exact.arithmetic().linear(name, values, branch) - bias
        np.testing.assert_allclose(here * steps * tensor.step, expected.numpy(), rtol=1e-9, atol=1e-12)
        place += len(here)
    assert (rows[8] < 0).any(), "some codes have the flag"


@pytest.mark.parametrize("branch", [8, 4])
def test_the_array_forms_attention_of_two_regions(bundle: Bundle, branch: int) -> None:
    name = "stages.0.blocks.0.attn.av"
    array = load_accelerator("packed_w4_32x32").arrays[0].model_copy(update={"rows": 8, "columns": 8})
    left, right = codes(bundle, f"{name}.left@{branch}", branch)[0], codes(bundle, f"{name}.right@{branch}", branch)[0]
    regions = regions_of(entries(bundle, f"{name}.left")[branch])
    problem = Problem((RowRun(len(left), array.mode(branch, branch), regions),), right.shape[1], len(right))
    expected = regions.multiplicands(left) @ right
    assert np.array_equal(run_functional(array, problem, left, right), expected)
    plain = replace(problem, runs=(replace(problem.runs[0], regions=None),))
    assert not np.array_equal(run_functional(array, plain, left, right), expected)


def test_zero_gating_sees_the_zeros_of_the_multiplier(bundle: Bundle) -> None:
    """Magnitude 0, with the flag or without; what the quantizer writes has it without alone."""
    name = f"stages.0.blocks.0{GELU}"
    tensor, files = entries(bundle, name)[4], dict(bundle.tensors("image-0"))
    found = codes(bundle, f"{name}@4", 4)
    zeros = Codes(files, {}, "here").zeros(tensor, found.size).reshape(found.shape)
    assert np.array_equal(zeros, found == 0)
    assert 0 < zeros.sum() < zeros.size
    packed = files[f"{name}@4"].copy()
    packed[0] = 0x18  # the first two codes: -8, which is the flag above magnitude 0, and 1
    files[f"{name}@4"] = packed
    assert Codes(files, {}, "here").zeros(tensor, found.size).flat[:2].tolist() == [True, False]


def test_a_uniform_baseline_keeps_the_regions_and_a_shift_of_its_own_bits_alone(bundle: Bundle) -> None:
    def shifts(activation_bits: int, weight_bits: int) -> list[int]:
        tensors = uniform_workload(bundle, activation_bits, weight_bits).tensors.values()
        return [one.region_shift for one in tensors if one.encoding is Encoding.TWO_REGION]

    own = [one.region_shift for one in bundle.topology.tensors if one.encoding is Encoding.TWO_REGION and one.bits == 8]
    assert any(own)
    assert shifts(8, 4) == own
    assert shifts(8, 8) == shifts(6, 4) == [0] * len(own)


def test_the_stand_in_shift_fits_codes_of_any_width() -> None:
    topology = build_topology(TOY, 56, 56, precision=Precision((8, 2)), quantizers=marks_of("mptq_vit"))
    check_topology(topology, "operators", "tensors")
    shifts = {(one.bits, one.region_shift) for one in topology.tensors if one.encoding is Encoding.TWO_REGION}
    assert shifts == {(8, 3), (2, 2)}
