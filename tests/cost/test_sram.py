"""SRAM: the grids give what CACTI gave, and between their points something monotone."""

from __future__ import annotations

import pytest

from mixarray.cost.sram import Sram, grid_infos, grid_sram, grid_static, sram, sram_static
from mixarray.errors import InputError

TABLE = "45nm-horowitz"
GRIDS = ("45nm-lstp300", "28nm-lstp300", "22nm-lstp300")


@pytest.mark.parametrize(
    ("kib", "cacti", "horowitz", "error"), [(8, 6.14, 10, 1e-9), (32, 17.04, 20, 1e-9), (1024, 93.5, 100, 0.2)]
)
def test_sram_anchors_64_bits(kib: int, cacti: float, horowitz: float, error: float) -> None:
    read = sram(TABLE, kib, 64, "buffers.weight", "mine").read_pj
    assert read == pytest.approx(cacti, abs=error)
    assert 0.5 <= read / horowitz <= 1.1


@pytest.mark.parametrize(
    ("grid", "kib", "bits", "read", "write"),
    [
        ("45nm-lstp300", 512, 512, 274.52, 333.30),
        ("28nm-lstp300", 512, 1024, 205.90, 286.61),
        ("28nm-lstp300", 8, 64, 2.70, 3.27),
        ("22nm-lstp300", 128, 1024, 38.72, 92.72),
        ("22nm-lstp300", 2048, 64, 31.60, 25.63),
    ],
)
def test_grid_points_are_exact(grid: str, kib: int, bits: int, read: float, write: float) -> None:
    assert grid_sram(grid, kib, bits, "b", "mine") == Sram(read, write, kib)


def test_a_smaller_node_costs_less_and_leaks_more() -> None:
    for kib in (8, 100, 2048):
        reads = [grid_sram(grid, kib, 128, "b", "mine").read_pj for grid in GRIDS]
        static = [grid_static(grid, kib, 128, "b", "mine") for grid in GRIDS]
        assert reads == sorted(reads, reverse=True)
        assert [s.area_mm2 for s in static] == sorted((s.area_mm2 for s in static), reverse=True)
        assert [s.lstp300_mw for s in static] == sorted(s.lstp300_mw for s in static)


@pytest.mark.parametrize("grid", GRIDS)
def test_interpolation_is_monotone_and_bounded(grid: str) -> None:
    at = [grid_sram(grid, kib, 256, "b", "mine").read_pj for kib in (8, 12, 32, 64, 128, 256, 2048)]
    assert at == sorted(at)
    wide, narrow = (grid_sram(grid, 64, bits, "b", "mine").write_pj for bits in (192, 128))
    assert wide > narrow


@pytest.mark.parametrize(
    ("kib", "bits", "field"), [(4, 64, "capacity_kib"), (4096, 64, "capacity_kib"), (8, 32, "port_bits")]
)
def test_outside_the_grid_is_refused(kib: int, bits: int, field: str) -> None:
    with pytest.raises(InputError, match=f"mine: buffers.weight.{field}: .*outside the SRAM grid"):
        sram(TABLE, kib, bits, "buffers.weight", "mine")


def test_fewer_than_256_words_are_priced_as_256() -> None:
    """CACTI's single bank of 64 words of 1024 bits would cost 108 pJ, almost what 256 such words cost."""
    clamped = sram(TABLE, 8, 1024, "b", "mine")
    assert clamped == sram(TABLE, 32, 1024, "b", "mine")
    assert clamped.priced_kib == 32
    assert sram_static(TABLE, 8, 1024, "b", "mine") == sram_static(TABLE, 32, 1024, "b", "mine")
    assert sram(TABLE, 8, 256, "b", "mine").priced_kib == 8  # exactly 256 words


def test_words_of_64_bits_stand_side_by_side() -> None:
    reads = [sram("7nm-jouppi", kib, 64, "b", "mine").read_pj for kib in (8, 32, 1024)]
    assert reads == [7.5, 8.5, 14]
    assert 8.5 < sram("7nm-jouppi", 64, 64, "b", "mine").read_pj < 14
    for bits, words in ((32, 1), (65, 2), (256, 4), (1024, 16)):
        assert sram("7nm-jouppi", 32, bits, "b", "mine").read_pj == 8.5 * words
    with pytest.raises(InputError, match="allowed: 8 to 1024"):
        sram("7nm-jouppi", 2048, 64, "b", "mine")
    with pytest.raises(ValueError, match="neither areas nor leakage"):
        sram_static("7nm-jouppi", 32, 64, "b", "mine")


def test_hp360_is_cactis_figure_at_512_kib_and_follows_the_lstp_curve() -> None:
    at_512, at_8 = (sram_static(TABLE, kib, 64, "b", "mine") for kib in (512, 8))
    assert at_512.hp360_mw == 524
    assert at_8.hp360_mw == pytest.approx(524 * 0.0003 / 0.0125)
    assert grid_static("22nm-lstp300", 512, 64, "b", "mine").hp360_mw == 134
    assert grid_static("28nm-lstp300", 512, 64, "b", "mine").hp360_mw is None
    assert set(grid_infos()) == {*GRIDS, "7nm-jouppi"}
