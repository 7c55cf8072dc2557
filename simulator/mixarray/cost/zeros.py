"""Zero gating: PE-cycles whose streamed codes are all zero, counted exactly in the codes that a bundle recorded.

A code (row, k) that streams through an array enters one PE of each column of its fold, once per pass. A PE-cycle is
gated where the codes of all its lanes are zero. Folds begin at multiples of what the array covers, so which codes share
a PE-cycle follows from k alone, whatever the tiles.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.model import Accelerator, Array
from mixarray.accelerator.modes import Mode
from mixarray.cost.pe_time import PE_CYCLE
from mixarray.engine.timeline import OperatorCounts
from mixarray.errors import InputError
from mixarray.mapping.schedule import Action
from mixarray.trace.bundle import TENSOR_FOLDER, Bundle
from mixarray.trace.model import Encoding, Operand, OperatorKind, Role, Tensor
from mixarray.trace.workload import ALL_WINDOWS, Group, GroupedOperator, Workload

ZeroPeCycles = Sequence[Mapping[Action, int]]
"""By operator: PE-cycles of each action whose streamed codes are all zero."""


@dataclass(frozen=True)
class Codes:
    """The recorded codes of one image of a bundle, packed to their bits, with `.shape` beside them.

    Keys are `<tensor>@<window bits>`; `<tensor>@<bits>` of tensors whose bits do not vary.
    """

    image: Mapping[str, NDArray[Any]]
    weights: Mapping[str, NDArray[Any]]
    where: str

    def zeros(self, tensor: Tensor, size: int) -> NDArray[np.bool_]:
        """Which codes of an entry of a tensor are zero, in the order recorded, as (rows, columns).

        Of log-sqrt2 codes, which are shifts, those that stand for 0: the highest, or those flagged beside the codes. Of
        codes of two regions those whose magnitude is 0.

        Raises InputError where they were not recorded, or are not `size` many.
        """
        part, bits = self.weights if tensor.role is Role.WEIGHT else self.image, tensor.bits
        key = f"{tensor.name}@{tensor.window_bits or bits}"
        if key not in part:
            raise InputError(self.where, "has no codes of this tensor, so its zeros cannot be counted", key)
        shape = tuple(int(extent) for extent in part[f"{key}.shape"])
        if math.prod(shape) != size or part[key].size != -(-size * bits // 8):
            raise InputError(self.where, f"{shape} codes are recorded where {size} run", key)
        if tensor.encoding is not Encoding.LOG_SQRT2:
            found = _equals(part[key], bits, size, 0)
            if tensor.encoding is Encoding.TWO_REGION:
                found |= _equals(part[key], bits, size, 1 << (bits - 1))
        elif f"{key}.zeros" in part:
            found = _equals(part[f"{key}.zeros"], 1, size, 1)
        else:
            found = _equals(part[key], bits, size, (1 << (bits - 1)) - 1)
        return found.reshape(-1, shape[-1])


def require_codes(bundle: Bundle, images: Iterable[int]) -> None:
    """Raise InputError, saying how to record them, for the first image whose codes the bundle does not hold."""
    for image in images:
        if f"{TENSOR_FOLDER}/image-{image}.safetensors" not in bundle.manifest.files:
            message = (
                f"holds no codes of image {image}, which zero gating counts: record it with --tensors all "
                "(`sampled` keeps those of image 0: simulate it alone with --image 0)"
            )
            raise InputError(str(bundle.path), message, TENSOR_FOLDER)


def image_codes(bundle: Bundle, image: int) -> Codes:
    """The codes of one image; InputError where the bundle does not hold them."""
    require_codes(bundle, (image,))
    where = str(bundle.path / TENSOR_FOLDER)
    return Codes(bundle.tensors(f"image-{image}"), bundle.tensors("weights"), where)


def zero_pe_cycles(
    codes: Codes, workload: Workload, accelerator: Accelerator, operators: Sequence[OperatorCounts]
) -> ZeroPeCycles:
    """PE-cycles of every operator whose streamed codes are all zero; exact.

    Raises InputError where codes are missing, or an operator's groups cannot be told apart by array.
    """
    found: list[Mapping[Action, int]] = [{} for _ in workload.operators]
    for counts in operators:
        grouped = workload.operators[counts.operator]
        if grouped.operator.kind is OperatorKind.GEMM:
            found[counts.operator] = _of_gemm(codes, workload, accelerator, grouped, counts)
    return found


def summed(zeros: ZeroPeCycles) -> Mapping[Action, int]:
    """Over all operators."""
    total: Counter[Action] = Counter()
    for one in zeros:
        total.update(one)
    return total


def _of_gemm(
    codes: Codes, workload: Workload, accelerator: Accelerator, grouped: GroupedOperator, counts: OperatorCounts
) -> Mapping[Action, int]:
    zero: Counter[Action] = Counter()
    active: Counter[Action] = Counter()
    for group in grouped.groups:
        index, mode = accelerator.array_for(group.stream_bits, group.stationary_bits)
        array, action = accelerator.arrays[index], Action(f"arrays.{index}", mode.action)
        streamed, times = _streamed(codes, workload, array, grouped, group, mode)
        cycles = times * mode.slots_per_value
        zero[action] += cycles * zero_cycles(streamed, mode.lanes, array.rows)
        active[action] += cycles * zero_cycles(np.ones_like(streamed), mode.lanes, array.rows)
    ran = {a: n for a, n in counts.actions.items() if a.component.startswith("arrays.") and PE_CYCLE in a.name and n}
    if ran != {a: n for a, n in active.items() if n}:
        name = grouped.operator.name
        raise InputError(accelerator.name, f"which codes enter which PEs in {name} cannot be told", "zero_gating")
    return zero


def zero_cycles(zeros: NDArray[np.bool_], lanes: int, array_rows: int) -> int:
    """PE-cycles of one column and one pass whose codes are all zero. zeros: (streamed rows, K), True where zero.

    A pass covers `lanes` times `array_rows` values of K; PE row r takes values r, r + array_rows, ... of them.
    """
    if lanes == 1:  # every code has PE-cycles of its own
        return int(np.count_nonzero(zeros))
    rows, depth = zeros.shape
    block = lanes * array_rows
    padded = np.ones((rows, -(-depth // block) * block), dtype=np.bool_)
    padded[:, :depth] = zeros
    together = padded.reshape(rows, -1, lanes, array_rows).all(axis=2).reshape(rows, -1)
    first_lane = np.arange(padded.shape[1]).reshape(-1, lanes, array_rows)[:, 0].reshape(-1)
    return int(np.count_nonzero(together[:, first_lane < depth]))


def _streamed(
    codes: Codes, workload: Workload, array: Array, grouped: GroupedOperator, group: Group, mode: Mode
) -> tuple[NDArray[np.bool_], int]:
    """(which streamed codes are zero, as (rows, K), how many PEs each enters per pass) of a group.

    Input-stationary: weights stream past the group's rows, in the order recorded, which one lane does not care about.
    """
    op = grouped.operator
    weights_stream = array.dataflow is Dataflow.INPUT_STATIONARY
    if weights_stream and mode.lanes > 1:
        raise InputError(array.name, "zero gating of streamed weights on PEs with several lanes", "zero_gating")
    operand = Operand.STATIONARY if weights_stream else Operand.STREAM
    place = next(i for i, entry in enumerate(op.inputs) if entry.operand is operand)
    number = op.inputs[place].tensor
    tensor = workload.tensors.get((number, group.bits)) or workload.tensors[number, ALL_WINDOWS]
    rows, times = (op.n, group.rows) if weights_stream else (group.rows, op.n)
    size = group.batch * rows * op.k
    zeros = codes.zeros(tensor, size)
    return zeros.reshape(-1, 1) if weights_stream else zeros.reshape(-1, op.k), times


def _equals(packed: NDArray[np.uint8], bits: int, size: int, code: int) -> NDArray[np.bool_]:
    """Which of `size` codes, packed to their bits from the low end of each byte, are `code`, at least 0."""
    if bits == 8:
        whole: NDArray[np.bool_] = packed == code
        return whole
    single = np.unpackbits(packed, count=size * bits, bitorder="little").reshape(size, bits)
    if code == 0:
        return np.logical_not(single.any(axis=1))
    pattern = np.array([code >> place & 1 for place in range(bits)], np.uint8)
    found: NDArray[np.bool_] = (single == pattern).all(axis=1)
    return found
