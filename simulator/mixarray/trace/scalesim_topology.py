"""SCALE-Sim's topology `.csv`: every layer as a GEMM, and all layers as one workload.

Two forms, told apart by the header and the number of columns: convolutions (name, input height and width, filter height
and width, channels, filters, stride) and GEMMs (name, M, N, K); each may end with a sparsity ratio N:M. SCALE-Sim
skips the first line unseen; here it must be a header. It reads rows up to their last comma; here the comma at the end
may be missing. Blank lines and comments (`#` at the start of a line or after its first comma) say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from mixarray.errors import InputError
from mixarray.trace.gemms import Gemm, in_order
from mixarray.trace.workload import RESULT_BITS, Workload, single_gemm

DEPTHWISE_MARK = "DP"
"""SCALE-Sim takes a layer with these letters in its name for a depthwise convolution: one layer per channel."""
DENSE = (1, 1)
LARGEST_SIZE = 999_999_999
MOST_LAYERS = 100_000
SIZE = r"0*[1-9][0-9]{0,8}"
LIKE_A_NUMBER = r"[+-]*[.]?[0-9][0-9.:+eE_ -]*"
"""No heading is spelled like this; sizes are, and sizes with a slip of the finger, and sparsity ratios."""


class Form(Enum):
    """What a row says after its name."""

    CONVOLUTION = "ifmap height, ifmap width, filter height, filter width, channels, filters, stride"
    GEMM = "M, N, K"

    @property
    def columns(self) -> int:
        """Columns of a row without a sparsity ratio, the name included."""
        return 1 + len(self.value.split(","))


@dataclass(frozen=True, slots=True)
class TopologyLayer:
    """One layer as the GEMM (m, k) by (k, n).

    Of a convolution m counts the pixels of its output map, n its filters, k the values of one filter.
    `sparsity` (N, M): N of every M weights are not zero; (1, 1) is dense.
    """

    name: str
    m: int
    n: int
    k: int
    sparsity: tuple[int, int] = DENSE

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the dense layer."""
        return self.m * self.n * self.k


@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of one line of a file, without blanks around them and without an empty one at the end."""

    where: str
    number: int
    cells: tuple[str, ...]

    def mistake(self, message: str) -> InputError:
        return InputError(self.where, message, f"line {self.number}")

    def sizes(self) -> list[int]:
        """All cells after the name as sizes; InputError where one is no integer from 1."""
        wrong = next((cell for cell in self.cells[1:] if not re.fullmatch(SIZE, cell)), None)
        if wrong is not None:
            raise self.mistake(f"{wrong!r} is no size; allowed: integers from 1 to {LARGEST_SIZE}")
        return [int(cell) for cell in self.cells[1:]]


def read_topology(path: Path) -> tuple[TopologyLayer, ...]:
    """The layers of a SCALE-Sim topology file, in its order.

    Raises InputError naming the file and the line that is wrong.
    """
    form, rows = _form_and_rows(path)
    layers: list[TopologyLayer] = []
    for row in rows:
        layers += _layers(row, form)
        if len(layers) > MOST_LAYERS:
            raise row.mistake(f"there are more than {MOST_LAYERS} layers up to here")
    return tuple(layers)


def read_gemms(path: Path | str, activation_bits: int, weight_bits: int, result_bits: int = RESULT_BITS) -> list[Gemm]:
    """The layers of a SCALE-Sim topology file as dense GEMMs at one precision.

    Raises InputError naming the file and line, or the bits, that are wrong.
    """
    bits = activation_bits, weight_bits, result_bits
    return [Gemm(layer.m, layer.n, layer.k, *bits, layer.name) for layer in read_topology(Path(path))]


def topology_form(path: Path) -> Form:
    """The form of a topology's rows. Raises InputError as read_topology does, but looks at no size."""
    return _form_and_rows(path)[0]


def topology_workload(
    name: str,
    layers: Sequence[TopologyLayer],
    stream_bits: int,
    stationary_bits: int,
    result_bits: int = RESULT_BITS,
) -> Workload:
    """All layers as one workload: GEMMs with one group each, in order, each with tensors of its own.

    A topology does not say how layers feed each other, so nothing stays on the chip between them. Sparsity ratios are
    not used: every layer is dense.
    """
    bits = stream_bits, stationary_bits, result_bits
    return in_order(name, ((layer.name, single_gemm(layer.m, layer.n, layer.k, *bits)) for layer in layers))


def _form_and_rows(path: Path) -> tuple[Form, list[_Row]]:
    """The form, and a row for every line that is a layer or should be."""
    rows = list(_rows(path))
    if len(rows) < 2:
        raise InputError(str(path), "holds no layers: a topology has a header line and a line per layer")
    header, *data = rows
    return _form(header, data[0]), data


def _rows(path: Path) -> Iterator[_Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(str(path), f"cannot be read: {error}") from None
    # Only at the line ends that editors and SCALE-Sim know, which reading has turned into \n; splitlines knows more.
    for number, line in enumerate(text.split("\n"), 1):
        name, comma, rest = line.partition(",")
        cells = [cell.strip() for cell in (name + comma + rest.partition("#")[0]).split(",")]
        if any(cells) and not name.lstrip().startswith("#"):
            yield _Row(str(path), number, tuple(cells[:-1] if not cells[-1] else cells))


def _form(header: _Row, first: _Row) -> Form:
    """The form, by the header where it says one and else by the columns of the first layer."""
    number = next((cell for cell in header.cells[1:] if re.fullmatch(LIKE_A_NUMBER, cell)), None)
    if number is not None:
        raise header.mistake(
            f"holds {number!r} and so looks like a layer, but SCALE-Sim skips the first line; put a header before it, "
            "such as Layer, M, N, K,"
        )
    names = [cell.casefold() for cell in header.cells[1:4]]
    if sorted(names) == ["k", "m", "n"]:
        if names != ["m", "n", "k"]:
            raise header.mistake("names M, N and K in another order; SCALE-Sim takes the columns as M, N, K")
        return Form.GEMM
    if len(header.cells) >= Form.CONVOLUTION.columns:
        return Form.CONVOLUTION
    for form in Form:
        if len(first.cells) in (form.columns, form.columns + 1):
            return form
    raise _wrong_columns(first, tuple(Form))


def _wrong_columns(row: _Row, forms: Sequence[Form]) -> InputError:
    known = "; or ".join(f"{form.columns} (name, {form.value})" for form in forms)
    count = "1 column" if len(row.cells) == 1 else f"{len(row.cells)} columns"
    return row.mistake(f"has {count}; allowed: {known}; and one more for a sparsity ratio N:M")


def _layers(row: _Row, form: Form) -> list[TopologyLayer]:
    """The layers of one row: one, or as many as a depthwise convolution has channels."""
    sparsity = DENSE
    if len(row.cells) > form.columns and not re.fullmatch(LIKE_A_NUMBER, row.cells[1]):
        raise row.mistake(f"{row.cells[1]!r} after the name is no size, and a name holds no comma, quoted or not")
    if len(row.cells) == form.columns + 1:
        sparsity = _sparsity(row, form)
        row = replace(row, cells=row.cells[:-1])
    if len(row.cells) != form.columns:
        raise _wrong_columns(row, (form,))
    name, sizes = row.cells[0], row.sizes()
    if form is Form.GEMM:
        m, n, k = sizes
        return [TopologyLayer(name, m, n, k, sparsity)]
    height, width, filter_height, filter_width, channels, filters, stride = sizes
    for what, size, filter_size in (("height", height, filter_height), ("width", width, filter_width)):
        if filter_size > size:
            raise row.mistake(f"the filter {what} {filter_size} is larger than the ifmap {what} {size}")
    # SCALE-Sim rounds up: a last window that lies partly beside the input counts.
    m = -(-(height - filter_height + stride) // stride) * -(-(width - filter_width + stride) // stride)
    depthwise = DEPTHWISE_MARK in name
    k = filter_height * filter_width * (1 if depthwise else channels)
    if max(m, k) > LARGEST_SIZE:
        raise row.mistake(f"is a GEMM of M {m} and K {k}; allowed: up to {LARGEST_SIZE}")
    if not depthwise:
        return [TopologyLayer(name, m, filters, k, sparsity)]
    if channels > MOST_LAYERS:
        raise row.mistake(f"is one layer for each of {channels} channels; allowed: up to {MOST_LAYERS} layers")
    # As SCALE-Sim expands it: every channel with all filters, so `filters` is usually 1 in such a row.
    return [TopologyLayer(f"{name}Channel_{channel}", m, filters, k, sparsity) for channel in range(channels)]


def _sparsity(row: _Row, form: Form) -> tuple[int, int]:
    last = row.cells[-1]
    found = re.fullmatch(r"([0-9]{1,9})\s*:\s*([0-9]{1,9})", last)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        stride = form is Form.CONVOLUTION and re.fullmatch(SIZE, last)
        hint = "; SCALE-Sim takes one stride for both directions" if stride else ""
        raise row.mistake(f"{last!r} in the last column is no sparsity ratio N:M with N from 1 to M{hint}")
    return int(found[1]), int(found[2])
