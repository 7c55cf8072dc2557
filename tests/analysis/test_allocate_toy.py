"""Allocations of a toy of two blocks: its losses, its costs, and the greedy on both, against plain doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.write import accelerator_sha256
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.plan import Planner
from mixarray.simulation import simulate
from mixarray.trace.workload import Workload
from mixarray_analysis.allocating import subject as subject_module
from mixarray_analysis.allocating.costs import FJ_PER_PJ, Average, Objective
from mixarray_analysis.allocating.decisions import allocation_of, bits_of, decisions_of, layers_of
from mixarray_analysis.allocating.greedy import Reached, Rescore, take_step
from mixarray_analysis.allocating.losses import CalibrationSet, LossKind, difference
from mixarray_analysis.allocating.moves import Bits, Width
from mixarray_analysis.allocating.settings import METHODS, Settings
from mixarray_analysis.allocating.subject import Subject, open_subject
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.model.config import DetectorConfig, SwinConfig
from mixarray_traces.model.detector import Detector, build_detector
from mixarray_traces.quantization.arithmetic import ArithmeticKind
from mixarray_traces.quantization.calibrate import quantize
from mixarray_traces.quantization.identity import quantized_sha256, weights_sha256
from mixarray_traces.record.recorder import topology_of

CONFIG = DetectorConfig(SwinConfig(embed_dim=8, depths=(1, 1), num_heads=(1, 2), mlp_ratio=2), 8, 8)
ACCELERATOR = "decoupled_int8_int4"
PX = 56
START: Bits = (8,) * 24
MIXED: Bits = (8, 4, 7, 4, 5, 8, 3, 6, 4, 4, 8, 3) * 2
BrutePath = Callable[..., list[Bits]]


@pytest.fixture(scope="module")
def toy() -> Detector:
    """An untrained detector of two stages of one block each."""
    torch.manual_seed(5)
    return build_detector(CONFIG).eval()


def settings_of(toy: Detector, objective: Objective, method: str = "uniform_affine", ratio: int = 0) -> Settings:
    machine = load_accelerator(ACCELERATOR, ())
    return Settings(
        objective=objective,
        average=Average.LAYERS,
        average_thousandths=None,
        budget_thousandths=None,
        lowest=4,
        width=Width.STEEPEST,
        rescore=Rescore.EVERY,
        method=method,
        loss=LossKind.MSE,
        accelerator=ACCELERATOR,
        overrides=(),
        checkpoint="",
        input_px=PX,
        size_px=PX,
        canvases=1,
        seed=2,
        ratio=ratio,
        model_sha256=weights_sha256(toy),
        accelerator_sha256=accelerator_sha256(machine),
    )


@pytest.fixture(scope="module")
def opened(toy: Detector, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Settings], Subject]:
    """The toy in place of the shipped model."""

    def open_toy(settings: Settings) -> Subject:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(subject_module, "load_checkpoint", lambda path: toy)
            return open_subject(settings, tmp_path_factory.mktemp("losses") / "losses.jsonl")

    return open_toy


@pytest.fixture(scope="module")
def subjects(toy: Detector, opened: Callable[[Settings], Subject]) -> dict[Objective, Subject]:
    """Opened once: losses and costs do not depend on the objective."""
    return dict.fromkeys(Objective, opened(settings_of(toy, Objective.BITS)))


def plain_loss(subject: Subject, toy: Detector, bits: Bits) -> float:
    """The loss by the model's own arithmetic, everything built anew."""
    model, images = subject.losses.bank.model(bits), CalibrationSet(1, PX, 2).images(toy)
    plan = model.plan(0, (ImageFacts(),))
    wanted = model.run(images, plan, model.arithmetic(ArithmeticKind.FLOAT)).output.double()
    found = model.run(images, plan).output.double()
    return difference(wanted, found, LossKind.MSE, CONFIG.num_classes)


def workload_of(subject: Subject, bits: Bits) -> Workload:
    """The whole network as it is recorded at an allocation, with the zero points of the start."""
    start, there = (subject.losses.bank.model(one) for one in (START, bits))
    topology = topology_of(replace(start, options=there.options), PX, PX)
    return replace(subject.costs.machine, topology=topology).workload(subject.costs.groups)


def plain_cost(subject: Subject, objective: Objective, bits: Bits) -> int:
    """What the objective counts, from the topology of the quantized model itself, nothing remembered."""
    if objective is Objective.BITS:
        return sum(bits)
    macs = {op.name: op.macs for op in subject.costs.machine.topology.operators}
    if objective is Objective.BOPS:
        return sum(macs[layer.name] * bits[2 * i] * bits[2 * i + 1] for i, layer in enumerate(subject.layers))
    machine, whole = subject.costs.machine, workload_of(subject, bits)
    flow = make_flow(whole)
    total = 0
    for chain in make_chains(flow, Planner(whole, machine.accelerator, flow).holds_rows):
        part = Workload("part", tuple(whole.operators[i] for i in chain.operators), whole.tensors, whole.window_rows)
        run = simulate(part, machine.accelerator)
        cycles = objective is Objective.CYCLES
        total += run.execution.total_cycles if cycles else round(FJ_PER_PJ * run.energy.total_pj)
    return total


@pytest.mark.parametrize("method", METHODS)
def test_a_model_from_the_bank_is_the_quantized_one(
    toy: Detector, opened: Callable[[Settings], Subject], method: str
) -> None:
    settings = settings_of(toy, Objective.BITS, method)
    subject = opened(settings)
    built = subject.losses.bank.model(MIXED)
    wanted = quantize(toy, replace(settings.options(), allocation=allocation_of(subject.layers, MIXED)))
    assert quantized_sha256(built) == quantized_sha256(wanted)
    assert quantized_sha256(subject.losses.bank.model(START)) != quantized_sha256(wanted)
    images = CalibrationSet(1, PX, 2).images(toy)
    plan = wanted.plan(0, (ImageFacts(),))
    found = built.run(images, plan, subject.losses.bank.arithmetic(MIXED)).output
    assert torch.equal(found, wanted.run(images, plan).output)
    assert not torch.equal(found, built.run(images, plan, subject.losses.bank.arithmetic(START)).output)


def test_losses_are_measured_once(
    toy: Detector, opened: Callable[[Settings], Subject], subjects: dict[Objective, Subject]
) -> None:
    losses = opened(settings_of(toy, Objective.BITS)).losses
    assert losses.of(MIXED) == losses.of(MIXED) == plain_loss(subjects[Objective.BITS], toy, MIXED)
    assert losses.measured == 1
    assert losses.of(START) < losses.of(MIXED)
    assert losses.measured == 2


def test_kl_sees_classes_alone() -> None:
    torch.manual_seed(0)
    wanted = torch.randn(2, 3, 3, 14).double()
    moved = wanted.clone()
    moved[..., 10:] += 1.0
    assert difference(wanted, moved, LossKind.KL, 10) == 0.0
    assert difference(wanted, moved, LossKind.MSE, 10) == pytest.approx(4 / 14)
    moved[..., 0] += 1.0
    inside = torch.distributions.Bernoulli(logits=wanted[..., 0])
    wished = torch.distributions.kl_divergence(inside, torch.distributions.Bernoulli(logits=moved[..., 0]))
    assert difference(wanted, moved, LossKind.KL, 10) == pytest.approx(float(wished.mean()))


@pytest.mark.parametrize("objective", Objective)
def test_costs_are_those_of_the_quantized_model(subjects: dict[Objective, Subject], objective: Objective) -> None:
    subject = subjects[objective]
    for bits in (START, MIXED, (4,) * 24):
        assert subject.cost(objective, bits) == plain_cost(subject, objective, bits)
    assert subject.cost(objective, MIXED) != subject.cost(objective, START)


def test_a_total_is_the_simulated_network(subjects: dict[Objective, Subject]) -> None:
    subject = subjects[Objective.CYCLES]
    run = simulate(workload_of(subject, MIXED), subject.costs.machine.accelerator)
    total = subject.costs.total(MIXED)
    assert (total.cycles, total.energy_uj) == (run.execution.total_cycles, pytest.approx(run.energy.total_pj / 1e6))
    assert total != subject.costs.total(START)


@pytest.mark.parametrize("objective", Objective)
def test_the_greedy_is_its_definition(
    toy: Detector, subjects: dict[Objective, Subject], brute_path: BrutePath, objective: Objective
) -> None:
    steps, subject = 2, subjects[objective]
    problem = subject.problem(settings_of(toy, objective))
    reached, found = Reached(START), []
    for _ in range(steps):
        after = take_step(problem, reached)
        assert after is not None
        reached = after
        found.append(reached.bits)
    joint = (4,) if objective in (Objective.CYCLES, Objective.ENERGY) else ()
    wanted = brute_path(
        START,
        4,
        True,
        joint,
        lambda bits: plain_loss(subject, toy, bits),
        lambda bits: plain_cost(subject, objective, bits) if not joint else subject.cost(objective, bits),
        steps,
    )
    assert found == wanted


def test_names_and_their_order() -> None:
    layers = layers_of((1, 1))
    assert decisions_of(layers)[:4] == (
        "stages.0.blocks.0.attn.qkv.input",
        "stages.0.blocks.0.attn.qkv.weight",
        "stages.0.blocks.0.attn.qk.left",
        "stages.0.blocks.0.attn.qk.right",
    )
    allocation = allocation_of(layers, MIXED)
    assert bits_of(layers, allocation) == MIXED
    assert (len(allocation.weights), len(allocation.activations)) == (8, 16)
