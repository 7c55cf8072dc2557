"""Every registered PE style keeps the rules of design 4; the shipped ones are checked against worked numbers."""

from __future__ import annotations

from itertools import product

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.modes import Bits, Mode, PeStyle, mode_for
from mixarray.accelerator.styles import legal_pairs, pe_styles
from mixarray.errors import InputError

SAMPLE_MODES: dict[str, tuple[Bits, ...]] = {
    "plain": ((8, 8),),
    "packed_w4": ((4, 4), (8, 4), (8, 8)),
    "bricks16": tuple(product((2, 4, 8), (2, 4, 8))),
}
PRESETS = {"packed_w4": "packed_w4_32x32", "plain": "plain_int8_32x32", "bricks16": "bricks16_16x32"}


@pytest.fixture(params=sorted(pe_styles()))
def style(request: pytest.FixtureRequest) -> PeStyle:
    return pe_styles()[request.param]


def packed(bits: Bits) -> Mode:
    (mode,) = pe_styles()["packed_w4"].make_modes((bits,))
    return mode


def test_conformance_every_style_has_sample_modes(style: PeStyle) -> None:
    assert style.name in SAMPLE_MODES, "add the new style's modes to SAMPLE_MODES"
    modes = style.make_modes(SAMPLE_MODES[style.name])
    assert [(m.stream_bits, m.stationary_bits) for m in modes] == list(SAMPLE_MODES[style.name])


@pytest.mark.parametrize("rows", [1, 4, 32])
def test_conformance_passes_and_active_rows(style: PeStyle, rows: int) -> None:
    for mode in style.make_modes(SAMPLE_MODES[style.name]):
        deepest = mode.fold_depth(rows)
        assert deepest == mode.slots // mode.slots_per_value * rows
        for depth in range(1, deepest + 1):
            passes, active = mode.passes(depth, rows), mode.active_rows(depth, rows)
            assert 1 <= passes <= mode.slots
            assert active <= passes * rows
            # every product is made: active PEs x lanes cover the depth, once per slot of a split value
            assert active * mode.lanes >= depth * mode.slots_per_value


def test_conformance_storage_and_dataflows(style: PeStyle) -> None:
    modes = style.make_modes(SAMPLE_MODES[style.name])
    for mode in modes:
        assert mode.slots // mode.slots_per_value * mode.stationary_bits <= style.pe_stationary_bits(modes)
    assert Dataflow.WEIGHT_STATIONARY not in style.illegal
    assert all(len(reason) > 20 for reason in style.illegal.values())


def test_conformance_sums_stay_only_where_a_pe_has_one_lane_and_one_slot(style: PeStyle) -> None:
    """Steps of output-stationary folds are single products (`array/output.py`)."""
    modes = style.make_modes(SAMPLE_MODES[style.name])
    if Dataflow.OUTPUT_STATIONARY not in style.illegal:
        assert {(mode.lanes, mode.slots, mode.slots_per_value) for mode in modes} == {(1, 1, 1)}
    else:
        assert any(mode.lanes * mode.slots > 1 for mode in modes)


def test_the_legal_table_has_every_pair_once() -> None:
    pairs = {(style.name, dataflow): reason for style, dataflow, reason in legal_pairs()}
    assert set(pairs) == {(name, dataflow) for name in pe_styles() for dataflow in Dataflow}
    assert {key for key, reason in pairs.items() if reason} == {
        ("packed_w4", Dataflow.INPUT_STATIONARY),
        ("packed_w4", Dataflow.OUTPUT_STATIONARY),
        ("bricks16", Dataflow.OUTPUT_STATIONARY),
    }


@pytest.mark.parametrize("name", sorted(pe_styles()))
@pytest.mark.parametrize("dataflow", Dataflow)
def test_an_illegal_pair_is_refused_with_its_reason(name: str, dataflow: Dataflow) -> None:
    preset = PRESETS[name]
    reason = pe_styles()[name].illegal.get(dataflow)
    setting = f"arrays.0.dataflow={dataflow}"
    if reason is None:
        assert load_accelerator(preset, [setting]).arrays[0].dataflow is dataflow
    else:
        with pytest.raises(InputError, match=f"arrays.0: {name} PEs cannot run {dataflow}: {reason}"):
            load_accelerator(preset, [setting])


def test_input_stationary_swaps_the_roles_of_the_operands() -> None:
    roles = {
        dataflow: load_accelerator("plain_int8_32x32", [f"arrays.0.dataflow={dataflow}"]).arrays[0].roles(8, 4)
        for dataflow in Dataflow
    }
    assert roles == {
        Dataflow.WEIGHT_STATIONARY: (8, 4),
        Dataflow.INPUT_STATIONARY: (4, 8),
        Dataflow.OUTPUT_STATIONARY: (8, 4),
    }


def test_packed_passes_follow_the_design() -> None:
    assert [packed((4, 4)).passes(k, 4) for k in (1, 4, 5, 8)] == [1, 1, 1, 1]
    assert [packed((8, 4)).passes(k, 4) for k in (1, 4, 5, 8)] == [1, 1, 2, 2]
    assert [packed((8, 8)).passes(k, 4) for k in (1, 4)] == [2, 2]
    assert [packed(bits).fold_depth(4) for bits in ((4, 4), (8, 4), (8, 8))] == [8, 8, 4]


def test_worked_example_of_the_design() -> None:
    """4x4 array, K=12: folds of K 8 and 4; 2 low and 3 high rows give Meff 8 and 5."""
    meff = [2 * packed((4, 4)).passes(k, 4) + 3 * packed((8, 4)).passes(k, 4) for k in (8, 4)]
    assert meff == [8, 5]


def test_active_rows() -> None:
    assert packed((8, 4)).active_rows(6, 4) == 6  # 4 in slot 0, 2 in slot 1
    assert packed((4, 4)).active_rows(6, 4) == 4  # one pass: two rows use both bricks, two use one
    assert packed((8, 8)).active_rows(3, 4) == 6  # two nibble passes


def test_layouts_say_which_modes_share_a_fold() -> None:
    assert packed((8, 4)).layout == packed((4, 4)).layout
    assert packed((8, 4)).layout != packed((8, 8)).layout


@pytest.mark.parametrize(
    ("bits", "used"),
    [((4, 4), (4, 4)), ((2, 4), (4, 4)), ((2, 2), (4, 4)), ((8, 2), (8, 4)), ((4, 8), (8, 8)), ((6, 4), (8, 4))],
)
def test_the_narrowest_wide_enough_mode_runs(bits: Bits, used: Bits) -> None:
    mode = mode_for(pe_styles()["packed_w4"].make_modes(SAMPLE_MODES["packed_w4"]), *bits)
    assert (mode.stream_bits, mode.stationary_bits) == used
    assert mode.widens(*bits) == (bits != used)


def test_what_no_mode_serves_is_refused() -> None:
    with pytest.raises(InputError, match="no mode serves 16 streaming by 4"):
        mode_for(pe_styles()["packed_w4"].make_modes(((8, 4),)), 16, 4)
    with pytest.raises(InputError, match="no mode serves 8 streaming by 8"):
        mode_for(pe_styles()["packed_w4"].make_modes(((8, 4), (4, 4))), 8, 8)


def test_plain_has_one_mode() -> None:
    with pytest.raises(ValueError, match="one multiplier"):
        pe_styles()["plain"].make_modes(((8, 8), (4, 4)))
