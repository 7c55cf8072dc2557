"""Topology files of SCALE-Sim: both forms as they occur, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.errors import InputError
from mixarray.trace.scalesim_topology import Form, TopologyLayer, read_topology, topology_form, topology_workload
from mixarray.trace.workload import single_gemm

CONV = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
GEMM = "Layer, M, N, K,\n"


def read(tmp_path: Path, text: str) -> tuple[TopologyLayer, ...]:
    file = tmp_path / "T.csv"
    file.write_text(text, encoding="utf-8")
    return read_topology(file)


def test_a_convolution_is_a_gemm_of_its_windows(tmp_path: Path) -> None:
    """7 x 8 by 3 x 2 in steps of 2: 3 x 4 windows, the last column's one value beside the input counted."""
    (layer,) = read(tmp_path, CONV + "c1, 7, 8, 3, 2, 5, 6, 2,\n")
    assert layer == TopologyLayer("c1", m=3 * 4, n=6, k=3 * 2 * 5)
    (layer,) = read(tmp_path, CONV + "c2, 8, 8, 3, 3, 1, 1, 2,\n")
    assert layer.m == 4 * 4


@given(size=st.integers(1, 40), share=st.integers(0, 39), stride=st.integers(1, 12))
def test_windows_start_at_every_stride_and_reach_the_end(
    tmp_path_factory: pytest.TempPathFactory, size: int, share: int, stride: int
) -> None:
    """As many starts as needed for the last window to reach or pass the last value, and no more."""
    window = 1 + share % size
    (layer,) = read(tmp_path_factory.mktemp("t"), CONV + f"c, {size}, 1, {window}, 1, 1, 1, {stride},\n")
    assert (layer.m - 1) * stride + window >= size
    assert layer.m == 1 or (layer.m - 2) * stride + window < size


@pytest.mark.parametrize("end", ["", ","])
@pytest.mark.parametrize("header", [GEMM, "Layer,M,N,K\n", "\ufeffLayer Name, m, n, k,\n", "one, two, three, four\n"])
def test_gemms_with_and_without_a_comma_at_the_end(tmp_path: Path, header: str, end: str) -> None:
    assert read(tmp_path, f"{header}a, 3, 4, 5{end}\nb,6 , 7,8{end}") == (
        TopologyLayer("a", 3, 4, 5),
        TopologyLayer("b", 6, 7, 8),
    )


def test_blank_lines_and_comments_say_nothing(tmp_path: Path) -> None:
    text = f"# made by hand, 1, 2, 3\n\n{CONV} \n,,,,,,,,\n  # later, x\nc#1, 4, 4, 2, 2, 1, 1, 1,#dw\n"
    assert read(tmp_path, text) == (TopologyLayer("c#1", 9, 1, 4),)


def test_a_depthwise_row_is_a_layer_per_channel(tmp_path: Path) -> None:
    """Every channel with all filters, as SCALE-Sim expands it."""
    layers = read(tmp_path, CONV + "DP1, 5, 5, 2, 2, 3, 4, 1,\n")
    assert layers == tuple(TopologyLayer(f"DP1Channel_{channel}", 16, 4, 4) for channel in range(3))


@pytest.mark.parametrize("row", ["c, 4, 4, 2, 2, 8, 6, 1, 2:4,", "c, 4, 4, 2, 2, 8, 6, 1, 2 : 4"])
def test_a_sparsity_ratio_is_kept(tmp_path: Path, row: str) -> None:
    (layer,) = read(tmp_path, CONV + row)
    assert (layer.m, layer.n, layer.k, layer.sparsity) == (9, 6, 32, (2, 4))
    assert read(tmp_path, "Layer, M, N, K, Sparsity,\na, 1, 2, 3, 1:4,\n")[0].sparsity == (1, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GEMM + "a, 3, 4, 5,\n\nb, 3, 4,\n", "line 4: has 3 columns; allowed: 4"),
        (GEMM + "a, 3, 4, 5, 1:2, 7,\n", "line 2: has 6 columns"),
        (GEMM + "a, 8, 8, 3, 3, 1, 1, 1,\n", "line 2: has 8 columns; allowed: 4"),
        (CONV + "a, 3, 4, 5,\n", "line 2: has 4 columns; allowed: 8"),
        (CONV + "a, 8, 8, 3, 3, 1, 1,\n", "line 2: has 7 columns"),
        (CONV + "a, 8, 8, 3, 3, 1, 1, 1, 1,\n", "line 2: '1' in the last .* SCALE-Sim takes one stride for both"),
        (GEMM + "a, 3, 4, 5, 2,\n", "line 2: '2' in the last column is no sparsity ratio N:M with N from 1 to M$"),
        (GEMM + '"a, b", 3, 4, 5,\n', "line 2: 'b\"' after the name is no size, and a name holds no comma"),
        (GEMM + "a, b, c, 3, 4, 5,\n", "line 2: 'b' after the name is no size, and a name holds no comma"),
        (CONV + "a, b, 8, 8, 3, 3, 1, 1, 1,\n", "line 2: 'b' after the name is no size, and a name holds no comma"),
        (CONV + "a, 8, 8, 3, 3, 1, 1, 1, 4:2,\n", "line 2: '4:2' in the last column is no sparsity ratio"),
        ("x\ny\n", "line 2: has 1 column; allowed: 8 .*; or 4"),
        (GEMM + "a, 3, 4.0, 5,\n", "line 2: '4.0' is no size"),
        (GEMM + "a, 3, -4, 5,\n", "line 2: '-4' is no size"),
        (GEMM + "a, 3, 0, 5,\n", "line 2: '0' is no size"),
        (GEMM + "a, 3, , 5,\n", "line 2: '' is no size"),
        (GEMM + "a, 3, 1234567890, 5,\n", "line 2: '1234567890' is no size"),
        (CONV + "a, 8, 8, 9, 3, 1, 1, 1,\n", "line 2: the filter height 9 is larger than the ifmap height 8"),
        (CONV + "a, 8, 8, 3, 9, 1, 1, 1,\n", "line 2: the filter width 9 is larger than the ifmap width 8"),
        (CONV + "a, 900000, 900000, 1, 1, 1, 1, 1,\n", "line 2: is a GEMM of M 810000000000"),
        (CONV + "DP, 8, 8, 3, 3, 200000, 1, 1,\n", "line 2: is one layer for each of 200000 channels"),
        (CONV + "DP, 8, 8, 3, 3, 60000, 1, 1,\n" * 2, "line 3: there are more than 100000 layers"),
        ("a, 3, 4, 5,\nb, 3, 4, 5,\n", "line 1: holds '3' and so looks like a layer, but SCALE-Sim skips the first"),
        ("a, 3, 4.0, 5,\nb, 3, 4, 5,\n", "line 1: holds '3'"),
        ("a, x, 4.0, y,\nb, 3, 4, 5,\n", "line 1: holds '4.0'"),
        ("a, x, --4, y,\nb, 3, 4, 5,\n", "line 1: holds '--4'"),
        ("a, x, y, z, 2:4,\nb, 3, 4, 5,\n", "line 1: holds '2:4'"),
        ("c1,224,224,7,7,3,64,2, dense,\nc2,8,8,3,3,1,1,1,\n", "line 1: holds '224'"),
        ("a, ?, ?, 5 ,\nb, 3, 4, 5,\n", "line 1: holds '5'"),
        ("Layer, M, K, N,\nb, 3, 4, 5,\n", "line 1: names M, N and K in another order"),
        (GEMM, "holds no layers"),
        ("", "holds no layers"),
    ],
)
def test_mistakes_are_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"T\.csv: {message}"):
        read(tmp_path, text)


@pytest.mark.parametrize("heading", ["e2", "Ifmap 2", "N:M", "-", "3x3"])
def test_headings_may_hold_digits(tmp_path: Path, heading: str) -> None:
    assert read(tmp_path, f"Layer, {heading}, b, c,\na, 3, 4, 5,\n") == (TopologyLayer("a", 3, 4, 5),)


@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029"])
def test_lines_end_where_editors_end_them(tmp_path: Path, odd: str) -> None:
    """Other characters at which Python could split belong to a name, and line numbers are those of an editor."""
    assert read(tmp_path, f"{GEMM}a{odd}b, 3, 4, 5,\n") == (TopologyLayer(f"a{odd}b", 3, 4, 5),)
    with pytest.raises(InputError, match="line 3: has 2 columns"):
        read(tmp_path, f"{GEMM}a{odd}b, 3, 4, 5,\nc, 1,\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_three_line_ends(tmp_path: Path, end: str) -> None:
    (tmp_path / "T.csv").write_bytes(f"Layer,M,N,K,{end}a,1,2,3,{end}b,4,5,6{end}".encode())
    assert [layer.name for layer in read_topology(tmp_path / "T.csv")] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "form"),
    [(GEMM + "a, 3, 4, 5,\n", Form.GEMM), ("x\na, 3, 4, 5\n", Form.GEMM), (CONV + "c\n", Form.CONVOLUTION)],
)
def test_the_form_is_known_before_any_size(tmp_path: Path, text: str, form: Form) -> None:
    (tmp_path / "T.csv").write_text(text, encoding="utf-8")
    assert topology_form(tmp_path / "T.csv") is form


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.csv: cannot be read"):
        read_topology(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match=r"cannot be read: Is a directory$"):
        read_topology(tmp_path)
    (tmp_path / "T.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"T\.csv: cannot be read"):
        read_topology(tmp_path / "T.csv")


def test_a_workload_of_layers_that_share_nothing() -> None:
    layers = (TopologyLayer("a", 3, 4, 5), TopologyLayer("a", 6, 7, 8))
    workload = topology_workload("net", layers, 8, 4, result_bits=16)
    assert workload.macs == 3 * 4 * 5 + 6 * 7 * 8
    assert [grouped.operator.operator for grouped in workload.operators] == [0, 1]
    used = [entry.tensor for grouped in workload.operators for entry in grouped.operator.inputs]
    made = [grouped.operator.output for grouped in workload.operators]
    assert sorted({*used, *made}) == sorted(tensor for tensor, _ in workload.tensors) == list(range(6))
    assert {tensor.tensor for tensor in workload.tensors.values()} == set(range(6))


def test_a_workload_of_one_layer_is_the_single_gemm() -> None:
    """But for the names."""
    ((ours,),), alone = (
        (topology_workload("net", [TopologyLayer("gemm", 64, 32, 48)], 8, 4).operators,),
        single_gemm(64, 32, 48, 8, 4),
    )
    assert ours == alone.operators[0]
