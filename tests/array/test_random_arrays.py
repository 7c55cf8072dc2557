"""What the checks of the array room draw from: every PE style there is, also one that is not there yet."""

from __future__ import annotations

from itertools import product

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.modes import Mode, PeStyle
from mixarray.accelerator.styles import pe_styles
from mixarray_analysis.validation.arrays import chooser, draw_array, mode_sets, served_pairs, styles_serving
from mixarray_analysis.validation.checks import array_closed_form, functional, job_rule

MODES = {(4, 8): Mode(4, 8, lanes=2, slots=2, slots_per_value=1), (8, 8): Mode(8, 8, 1, slots=2, slots_per_value=1)}


def two_slots_of_8_bits(pairs):
    if not set(pairs) <= set(MODES):
        raise ValueError("no such mode")
    return tuple(MODES[pair] for pair in pairs)


@pytest.fixture
def new_style(monkeypatch):
    style = PeStyle("wide", "two slots of 8 bits", two_slots_of_8_bits, lambda modes: 16, {})
    monkeypatch.setitem(pe_styles(), style.name, style)
    return style


def test_the_shipped_styles_make_what_is_drawn():
    assert mode_sets("packed_w4") == (((4, 4), (8, 4), (8, 8)),)
    every = tuple(product((2, 4, 8), (2, 4, 8)))
    assert mode_sets("plain") == tuple((bits,) for bits in every)
    assert mode_sets("bricks16") == (every,)
    assert styles_serving(Dataflow.OUTPUT_STATIONARY) == ("plain",)


@pytest.mark.parametrize(("style", "dataflow"), served_pairs())
def test_every_array_and_port_is_drawn(style, dataflow):
    arrays = [draw_array(chooser(0, number), style, dataflow) for number in range(200)]
    assert {array.row_load_cycles for array in arrays} >= {1, 2, 3, 4}
    assert {array.rows for array in arrays} == {array.columns for array in arrays} == set(range(1, 10))
    assert {array.modes for array in arrays} == set(mode_sets(style))
    assert len({(array.weight_loading, array.weight_load_rows) for array in arrays}) == 6


def test_a_new_style_is_drawn_and_checked(new_style):
    assert mode_sets("wide") == (((4, 8), (8, 8)),)
    assert len([pair for pair in served_pairs() if pair[0] == "wide"]) == 3
    for check in (array_closed_form.CHECK, job_rule.CHECK, functional.CHECK):
        outcome = check.run(60, 0, lambda _: None)
        assert (outcome.mismatches, outcome.first_mismatch) == (0, ""), check.name
    for check in (array_closed_form.CHECK, job_rule.CHECK):
        mutants = check.mutants(0)
        assert mutants.caught == mutants.planted


def test_a_style_without_modes_for_2_4_and_8_bits_says_what_is_missing(monkeypatch):
    style = PeStyle("binary", "one bit", lambda pairs: two_slots_of_8_bits([*pairs, (1, 1)]), lambda modes: 1, {})
    monkeypatch.setitem(pe_styles(), style.name, style)
    with pytest.raises(ValueError, match="PE style binary makes no mode of"):
        mode_sets("binary")
