"""What is allocated, opened once: the float model, its losses, its work, and the accelerator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.write import accelerator_sha256
from mixarray.errors import InputError
from mixarray_analysis.allocating.costs import Costs, Counted, Objective, count, open_costs
from mixarray_analysis.allocating.decisions import Layer, layers_of
from mixarray_analysis.allocating.greedy import Problem
from mixarray_analysis.allocating.losses import CalibrationSet, Judge, Losses
from mixarray_analysis.allocating.moves import Bits, Rules
from mixarray_analysis.allocating.settings import TOP_BITS, Settings
from mixarray_analysis.models import load_checkpoint
from mixarray_analysis.search.store import Store
from mixarray_analysis.search.subject import machine_of
from mixarray_traces.importance.default import DEFAULT_SCORE
from mixarray_traces.quantization.identity import weights_sha256
from mixarray_traces.quantization.ratios import Ratios


@dataclass(frozen=True, slots=True)
class Subject:
    """What judges an allocation."""

    layers: tuple[Layer, ...]
    losses: Losses
    counted: Counted
    costs: Costs

    @property
    def start(self) -> Bits:
        """Every decision at the top width."""
        return (TOP_BITS,) * (2 * len(self.layers))

    def cost(self, objective: Objective, bits: Bits) -> int:
        """What a greedy is to make small, in whole units: weighted bits, BOPs, cycles or fJ."""
        if objective is Objective.BITS:
            return self.counted.weighted_bits(bits)
        if objective is Objective.BOPS:
            return self.counted.bops(bits)
        estimate = self.costs.estimate(bits)
        return estimate.cycles if objective is Objective.CYCLES else estimate.energy_fj

    def problem(self, settings: Settings) -> Problem:
        """The greedy's problem. Only a machine has modes, and so moves that need two operands."""
        simulated = settings.objective in (Objective.CYCLES, Objective.ENERGY)
        joint = _mode_widths(self.costs.machine.accelerator, settings.lowest) if simulated else ()
        rules = Rules(settings.lowest, settings.width, joint)
        return Problem(
            self.start, rules, self.losses.of, lambda bits: self.cost(settings.objective, bits), settings.rescore
        )


def open_subject(settings: Settings, cache: Path) -> Subject:
    """Open what the settings name; InputError where model or accelerator changed since. cache: file of the losses."""
    detector = load_checkpoint(Path(settings.checkpoint) if settings.checkpoint else None)
    accelerator = load_accelerator(settings.accelerator, settings.overrides)
    for what, found, wanted in (
        (settings.checkpoint or "the shipped model", weights_sha256(detector), settings.model_sha256),
        (settings.accelerator, accelerator_sha256(accelerator), settings.accelerator_sha256),
    ):
        if found != wanted:
            raise InputError(what, "is not what the allocation was begun with", "sha256")
    layers = layers_of(detector.config.backbone.depths)
    judge = Judge(CalibrationSet(settings.canvases, settings.size_px, settings.seed), settings.loss, settings.ratio)
    losses = Losses(detector, settings.options(), layers, judge, Store(cache))
    top = losses.bank.model((TOP_BITS,) * (2 * len(layers)))
    try:
        machine = machine_of(top, settings.input_px, DEFAULT_SCORE, accelerator)
    except InputError as error:  # the size meant is that of the simulated image
        raise InputError("--input" if error.where == "--size" else error.where, error.message, error.field) from None
    groups = machine.groups(Ratios.uniform(settings.ratio, top.depths))
    counted = count(machine.topology, layers, settings.average)
    return Subject(layers, losses, counted, open_costs(machine, groups, layers))


def _mode_widths(accelerator: Accelerator, lowest: int) -> tuple[int, ...]:
    """Widths of the operands of an accelerator's modes: where two operands may be lowered together."""
    modes = (mode for array in accelerator.arrays for mode in array.modes)
    return tuple(sorted({width for mode in modes for width in mode if lowest <= width < TOP_BITS}))
