"""Planting a textual fault: in a private copy, in exactly one place."""

from __future__ import annotations

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.timing import scalesim
from mixarray_analysis.validation.faults import planted_copy
from mixarray_analysis.validation.scalesim.faults import CONFIG, DEPTHWISE_FAULTS, FAULTS, TIMING, TOPOLOGY

LAYER = (Dataflow.WEIGHT_STATIONARY, 8, 4, 10, 7, 20)


def test_the_copy_has_the_fault_and_the_module_has_not():
    copy = planted_copy(TIMING, "fold_cycles * folds - 1", "fold_cycles * folds")
    right = scalesim.scalesim_timing(*LAYER).compute_cycles
    assert copy.scalesim_timing(*LAYER).compute_cycles == right + 1
    assert scalesim.scalesim_timing(*LAYER).compute_cycles == right


@pytest.mark.parametrize(("old", "places"), [("no such text", 0), ("return", "[2-9]|[1-9][0-9]")])
def test_a_text_that_does_not_stand_there_once_is_refused(old, places):
    with pytest.raises(ValueError, match=f"mixarray.timing.scalesim has ({places}) places for a fault, not one"):
        planted_copy(TIMING, old, "x")


def test_faults_are_planted_in_both_readers_and_the_rule():
    assert {fault.module for fault in (*FAULTS, *DEPTHWISE_FAULTS)} == {TIMING, TOPOLOGY, CONFIG}
