"""What an allocation found, as rows: every step of the path, and every layer at its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from mixarray.errors import InputError
from mixarray_analysis.allocating.decisions import Layer, decisions_of
from mixarray_analysis.allocating.greedy import Reached
from mixarray_analysis.allocating.moves import Bits, Move
from mixarray_analysis.allocating.settings import Settings
from mixarray_analysis.allocating.subject import Subject
from mixarray_analysis.progress import Report

JOINED = " + "
RESULT = "allocate.json"
FORMAT = "mixarray allocation result 1"


@dataclass(frozen=True, slots=True)
class StepRow:
    """A row of steps.csv; row 0 is the start.

    decision, before, after: what moved and its widths, both with " + " where two moved. saved: in units of the
    objective (bits, bit operations, cycles, fJ). score: loss increase over it, as the greedy saw it. loss: behind the
    step. average_bits, bops: counted. cycles, energy_uj: the whole network, simulated. parts_cycles, parts_energy_uj:
    the sum of its parts, which the greedy saw.
    """

    step: int
    decision: str
    before: str
    after: str
    saved: int
    score: float
    loss: float
    average_bits: float
    bops: int
    cycles: int
    energy_uj: float
    parts_cycles: int
    parts_energy_uj: float


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A row of layers.csv: one GEMM where the allocation ends.

    first_bits, second_bits: of activations and weights, or of the left and the right operand. mode_first_bits,
    mode_second_bits: what the accelerator runs them at. bops: at the allocated bits; mode_bops: at the mode's.
    """

    layer: str
    macs: int
    first_bits: int
    second_bits: int
    mode_first_bits: int
    mode_second_bits: int
    bops: int
    mode_bops: int


@dataclass(frozen=True, slots=True)
class Found:
    """An allocation with the path that led to it."""

    settings: Settings
    bits: Bits
    decisions: tuple[str, ...]
    steps: tuple[StepRow, ...]
    layers: tuple[LayerRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format": FORMAT,
            "settings": self.settings.to_json(),
            "bits": dict(zip(self.decisions, self.bits, strict=True)),
            "steps": [asdict(row) for row in self.steps],
            "layers": [asdict(row) for row in self.layers],
        }


def found_of(subject: Subject, settings: Settings, reached: Reached, report: Report) -> Found:
    """The rows of a finished path; `report(done, all)` is called after every simulated step."""
    names, bits = decisions_of(subject.layers), subject.start
    moved: list[tuple[Bits, Move | None, float, float]] = [(bits, None, 0.0, subject.losses.of(bits))]
    for one in reached.taken:
        bits = one.move.of(bits)
        moved.append((bits, one.move, one.score, one.loss))
    rows = []
    for number, (at, move, score, loss) in enumerate(moved):
        rows.append(_step_row(subject, names, number, at, move, score, loss))
        report(number + 1, len(moved))
    layers = zip(subject.layers, subject.counted.macs, bits[::2], bits[1::2], strict=True)
    return Found(settings, bits, names, tuple(rows), tuple(_layer_row(subject, *one) for one in layers))


def _step_row(
    subject: Subject, names: tuple[str, ...], number: int, bits: Bits, move: Move | None, score: float, loss: float
) -> StepRow:
    changes = () if move is None else move.changes
    total, parts = subject.costs.total(bits), subject.costs.estimate(bits)
    return StepRow(
        step=number,
        decision=JOINED.join(names[change.decision] for change in changes),
        before=JOINED.join(str(change.before) for change in changes),
        after=JOINED.join(str(change.after) for change in changes),
        saved=0 if move is None else move.saved,
        score=score,
        loss=loss,
        average_bits=subject.counted.average_bits(bits),
        bops=subject.counted.bops(bits),
        cycles=total.cycles,
        energy_uj=total.energy_uj,
        parts_cycles=parts.cycles,
        parts_energy_uj=parts.energy_uj,
    )


def _layer_row(subject: Subject, layer: Layer, macs: int, first: int, second: int) -> LayerRow:
    accelerator = subject.costs.machine.accelerator
    array, mode = accelerator.array_for(first, second)
    mode_first, mode_second = accelerator.arrays[array].roles(mode.stream_bits, mode.stationary_bits)
    bops, mode_bops = macs * first * second, macs * mode_first * mode_second
    return LayerRow(layer.name, macs, first, second, mode_first, mode_second, bops, mode_bops)


def read_found(directory: Path) -> Found:
    """The finished allocation in a directory; InputError where there is none, or it is broken."""
    path = directory / RESULT
    try:
        saved: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if saved["format"] != FORMAT:
            raise ValueError(f"its format is {saved['format']!r}, not {FORMAT!r}")
        steps = tuple(StepRow(**_known(row, StepRow)) for row in saved["steps"])
        layers = tuple(LayerRow(**_known(row, LayerRow)) for row in saved["layers"])
        names, bits = tuple(saved["bits"]), tuple(int(width) for width in saved["bits"].values())
        return Found(Settings.from_json(saved["settings"]), bits, names, steps, layers)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}; an allocation that ended is there") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(str(path), f"is no result of an allocation: {error}") from None


def _known(row: Mapping[str, Any], kind: type[StepRow | LayerRow]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    if set(row) != names:
        raise ValueError(f"a row has {', '.join(sorted(row))}")
    return dict(row)
