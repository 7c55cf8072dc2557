"""The accelerator as frozen pydantic models that refuse unknown keys; no field has a hidden default.

Units are in the names; what other rooms need in other units (bits, cycles) is a property here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from mixarray.accelerator.buffers import Buffers
from mixarray.accelerator.choices import MappingChoices, MixedPrecision
from mixarray.accelerator.enums import (
    Arithmetic,
    ClockGating,
    Dataflow,
    GroupOrder,
    Leakage,
    WeightLoading,
    WeightLoadRows,
    ZeroGating,
)
from mixarray.accelerator.fields import Clock, Count, Frozen, Latency, Name, Passes, Width
from mixarray.accelerator.memory import DramChannel, Memory
from mixarray.accelerator.modes import Bits, Mode, PeStyle, mode_for
from mixarray.accelerator.styles import pe_styles
from mixarray.accelerator.vector_styles import vector_styles
from mixarray.errors import InputError
from mixarray.explain import TAG
from mixarray.trace.model import OperatorKind

PassesByStyleOrKind = Annotated[
    Annotated[str, Tag(f"{TAG}style")] | Annotated[Mapping[OperatorKind, Passes], Tag(f"{TAG}kinds")],
    Discriminator(lambda value: f"{TAG}style" if isinstance(value, str) else f"{TAG}kinds"),
    Field(description="name of a vector unit style, or passes by kind"),
]
VECTOR_KINDS = tuple(kind for kind in OperatorKind if kind is not OperatorKind.GEMM)


class Array(Frozen):
    """One systolic array of `rows` x `columns` PEs.

    On its rows lies K, on its columns N (input-stationary: the GEMM's rows, M). Output-stationary: M and N.
    """

    name: Name
    rows: Annotated[int, Field(strict=True, ge=1, le=4096)]
    columns: Annotated[int, Field(strict=True, ge=1, le=4096)]
    dataflow: Dataflow
    pe_style: str = Field(description="name of a PE style", json_schema_extra={"enum": [*sorted(pe_styles())]})
    modes: Annotated[tuple[tuple[Width, Width], ...], Field(min_length=1)]
    weight_loading: WeightLoading = Field(description="when the next tile may load; output-stationary: may start")
    weight_load_rows: WeightLoadRows = Field(description="array rows that a load (output-stationary: a drain) takes")
    weight_port_bits: Count = Field(description="bits that the weight port delivers per cycle")
    accumulator_bits: Annotated[int, Field(strict=True, ge=8, le=64)]

    @field_validator("pe_style")
    @classmethod
    def _known_style(cls, value: str) -> str:
        if value not in pe_styles():
            raise ValueError(f"{value!r} is no PE style; allowed: {', '.join(sorted(pe_styles()))}")
        return value

    @field_validator("modes")
    @classmethod
    def _distinct_modes(cls, value: tuple[Bits, ...]) -> tuple[Bits, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a mode is listed twice")
        return value

    @model_validator(mode="after")
    def _style_serves(self) -> Self:
        reason = self.style.illegal.get(self.dataflow)
        if reason is not None:
            raise ValueError(f"{self.pe_style} PEs cannot run {self.dataflow}: {reason}")
        self.style.make_modes(self.modes)
        return self

    @property
    def style(self) -> PeStyle:
        """The PE style."""
        return pe_styles()[self.pe_style]

    @property
    def pe_modes(self) -> tuple[Mode, ...]:
        """What each configured mode means for a PE, in the configured order."""
        return self.style.make_modes(self.modes)

    def mode(self, stream_bits: int, stationary_bits: int) -> Mode:
        """The mode that runs operands of these bits (`mode.widens(...)` tells if it is wider); InputError if none."""
        note = " (input-stationary: weights stream)" if self.dataflow is Dataflow.INPUT_STATIONARY else ""
        return mode_for(self.pe_modes, stream_bits, stationary_bits, self.name, note)

    def roles(self, activation_bits: int, weight_bits: int) -> Bits:
        """(streaming, stationary) bits of a GEMM of these operands in this dataflow.

        Input-stationary runs the transposed problem: its weights stream, its activations stay.
        """
        if self.dataflow is Dataflow.INPUT_STATIONARY:
            return weight_bits, activation_bits
        return activation_bits, weight_bits

    @property
    def pes(self) -> int:
        """Number of PEs."""
        return self.rows * self.columns

    @property
    def pe_stationary_bits(self) -> int:
        """Stationary bits that one PE stores in one buffer of its weight register."""
        return self.style.pe_stationary_bits(self.pe_modes)

    @property
    def row_load_cycles(self) -> int:
        """Cycles the weight port needs for one array row: ceil(bits of one array row / port width)."""
        return -(-self.columns * self.pe_stationary_bits // self.weight_port_bits)

    @property
    def largest_lanes(self) -> int:
        """Most MACs that one PE finishes per cycle, over all modes."""
        return max(mode.lanes for mode in self.pe_modes)


class VectorUnit(Frozen):
    """A SIMD unit for everything that is no GEMM."""

    name: Name
    lanes: Count
    arithmetic: Arithmetic
    latency_cycles: Latency
    passes: PassesByStyleOrKind

    @field_validator("passes")
    @classmethod
    def _all_kinds(cls, value: str | Mapping[OperatorKind, int]) -> str | Mapping[OperatorKind, int]:
        if isinstance(value, str):
            if value not in vector_styles():
                raise ValueError(f"{value!r} is no vector unit style; allowed: {', '.join(sorted(vector_styles()))}")
            return value
        missing = [kind.value for kind in VECTOR_KINDS if kind not in value]
        if missing or len(value) != len(VECTOR_KINDS):
            raise ValueError(f"needs exactly {', '.join(VECTOR_KINDS)}; missing: {', '.join(missing) or 'none'}")
        return value

    def passes_of(self, kind: OperatorKind) -> int:
        """Times that the unit walks over the elements of an operator; 0: done on the data's way."""
        passes = vector_styles()[self.passes].passes if isinstance(self.passes, str) else self.passes
        return passes[kind]

    def cycles(self, kind: OperatorKind, elements: int) -> int:
        """Cycles that `elements` of an operator of that kind occupy the unit: every pass reads all of them."""
        return -(-elements // self.lanes) * self.passes_of(kind)


class Accelerator(Frozen):
    """A whole accelerator. `arrays`, `vector_units` and `dram_channels` are lists."""

    schema_version: Literal["1.0"]
    name: Name
    description: str
    clock_mhz: Clock
    energy_table: Name
    leakage: Leakage = Field(description="static power: left out, or in the cells and at the temperature named")
    clock_gating: ClockGating = Field(description="whether the clock of an array stops while nothing streams")
    zero_gating: ZeroGating = Field(description="whether PEs hold back streamed codes that are zero; needs the codes")
    arrays: Annotated[
        tuple[Array, ...],
        Field(min_length=1, max_length=2, description="each with a weight port, a result port and accumulators"),
    ]
    buffers: Buffers
    vector_units: Annotated[tuple[VectorUnit, ...], Field(min_length=1, max_length=1)]
    dram_channels: Annotated[tuple[DramChannel, ...], Field(min_length=1, max_length=64)]
    mixed_precision: MixedPrecision
    mapping: MappingChoices
    sources: Mapping[str, str]

    @field_validator("arrays")
    @classmethod
    def _names_differ(cls, value: tuple[Array, ...]) -> tuple[Array, ...]:
        if len({array.name for array in value}) < len(value):
            raise ValueError("two arrays have the same name")
        return value

    @model_validator(mode="after")
    def _accumulator_holds_a_row(self) -> Self:
        needed = max(array.columns * array.accumulator_bits for array in self.arrays)
        if self.buffers.accumulator.slot_bits < needed:
            raise ValueError(
                f"buffers.accumulator: one slot holds {self.buffers.accumulator.slot_bits} bits, one row of the array "
                f"needs {needed}; give more capacity_kib or fewer slots"
            )
        return self

    @model_validator(mode="after")
    def _concurrent_groups_have_arrays(self) -> Self:
        if self.mapping.group_order is GroupOrder.CONCURRENT and len(self.arrays) < 2:
            raise ValueError(
                "mapping.group_order: concurrent runs groups at the same time, each on an array of its own, and there "
                "is one array; allowed with it: sequential, weight_resident"
            )
        return self

    @field_validator("dram_channels")
    @classmethod
    def _channels_alike(cls, value: tuple[DramChannel, ...]) -> tuple[DramChannel, ...]:
        first = value[0]
        if any(channel.model_copy(update={"name": first.name}) != first for channel in value):
            raise ValueError("channels must differ in nothing but their names: bursts are spread over all of them")
        return value

    @property
    def memory(self) -> Memory:
        """All DRAM channels."""
        return Memory(self.dram_channels)

    def array_for(self, activation_bits: int, weight_bits: int) -> tuple[int, Mode]:
        """Number of the array that runs a GEMM of these operands, and its mode: the narrowest of all that serve them.

        Of equally narrow ones that of the first array. InputError if no array serves them.
        """
        serving: list[tuple[int, Mode]] = []
        refusals: list[InputError] = []
        for index, array in enumerate(self.arrays):
            try:
                serving.append((index, array.mode(*array.roles(activation_bits, weight_bits))))
            except InputError as error:
                refusals.append(error)
        if serving:
            return min(serving, key=lambda place: (place[1].stream_bits * place[1].stationary_bits, place[0]))
        if len(refusals) == 1:
            raise refusals[0]
        listed = "; ".join(f"{array.name}: {', '.join(map(str, array.modes))}" for array in self.arrays)
        message = f"no array serves {activation_bits}-bit activations by {weight_bits}-bit weights; they have {listed}"
        raise InputError(self.name, message, "arrays")

    def cycles_to_ms(self, cycles: int) -> float:
        """Milliseconds that `cycles` of the array clock take."""
        return cycles / (self.clock_mhz * 1000)
