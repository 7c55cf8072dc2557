"""Pruning ratios beside compression ratios: one for all, or one for each; and the printed command means the same."""

from __future__ import annotations

import shlex

import pytest

from mixarray.errors import InputError
from mixarray_analysis import equivalents
from mixarray_analysis.cli.values import read_choices
from mixarray_analysis.plan import Plan
from mixarray_traces.quantization.ratios import Asked, RatioChoice

PAIRS = "0.2/0.4/0.4,0.6,0.8"
TYPED = (
    ("0;0.4;0", "0;0;0.2"),
    ("0.4,0.6", "0.2"),
    ("0.4,0.6", "0"),
    (f"{PAIRS};0.4", "0/0/0,0.1,0.2;0.2"),
)


def test_one_for_all_or_one_for_each() -> None:
    assert read_choices("0;0.4;0", "0;0;0.2") == (0, 400, RatioChoice(0, 200))
    assert read_choices("0.4,0.6", "0.2") == (0, RatioChoice(400, 200), RatioChoice(600, 200))


def test_another_number_is_refused() -> None:
    with pytest.raises(InputError, match="has 2 entries, --ratios 3"):
        read_choices("0;0.4;0.6", "0;0.2")


def test_a_sorted_list_of_ratios_is_not_paired() -> None:
    with pytest.raises(InputError, match="both with semicolons"):
        read_choices("0.4,0", "0;0.2")


@pytest.mark.parametrize("typed", TYPED)
def test_the_printed_command_asks_for_the_same(typed: tuple[str, str]) -> None:
    chosen = read_choices(*typed)
    assert _read_again(equivalents.evaluate(Plan(chosen, ()))) == chosen


def test_a_command_with_one_pruning_ratio_dropped_would_ask_for_something_else() -> None:
    chosen = read_choices(*TYPED[0])
    printed = equivalents.evaluate(Plan(chosen, ())).replace("0;0.2", "0.2")
    assert _read_again(printed) != chosen


def _read_again(line: str) -> tuple[Asked, ...]:
    words = shlex.split(line)
    pruning = words[words.index("--pruning") + 1] if "--pruning" in words else "0"
    return read_choices(words[words.index("--ratios") + 1], pruning)
