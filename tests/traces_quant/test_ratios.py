"""Pairs of ratios: group sizes, nested sets, what is refused, and their texts. No model runs here."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.errors import InputError
from mixarray.trace.ratio import Promotion, group_sizes
from mixarray_traces.quantization.ratios import RatioChoice, Ratios, pairs_text, ratios_at, same_everywhere

DEPTHS = (2, 2, 6)
COMPRESSION = st.integers(0, 800) | st.just(1000)
Split = Callable[[int, int, int], tuple[int, int, int]]


@st.composite
def both(draw: st.DrawFn) -> tuple[int, int]:
    """A compression and a pruning ratio that fit together."""
    low = draw(COMPRESSION)
    return low, draw(st.integers(0, 1000 - low))


@st.composite
def choices(draw: st.DrawFn) -> RatioChoice:
    """Any choice: one ratio for all pairs, or one for each, in both parts independently."""
    pairs = st.tuples(*(st.tuples(*[st.integers(0, 300)] * ((depth + 1) // 2)) for depth in DEPTHS))
    part = st.integers(0, 300) | pairs
    return RatioChoice(draw(part), draw(part), draw(st.sampled_from(Promotion)))


def split_violation(split: Split, windows: int, low: int, pruned: int) -> str:
    """How a division differs from exact shares rounded as the rule says, or nothing."""
    found = split(windows, low, pruned)
    if sum(found) != windows or min(found) < 0:
        return f"{found} are not {windows} windows"
    kept = floor(windows * (1 - Fraction(pruned, 1000)))
    high = floor(windows * (1 - Fraction(pruned + low, 1000)))
    return "" if found == (high, kept - high, windows - kept) else f"{found}, expected {high} high and {kept} kept"


@given(st.integers(1, 2000), both())
def test_groups_are_all_windows_and_floors_of_exact_shares(windows: int, ratios: tuple[int, int]) -> None:
    assert split_violation(group_sizes, windows, *ratios) == ""


def _kept_rounded_up(n: int, q: int, p: int) -> tuple[int, int, int]:
    high, kept = group_sizes(n, q, p)[0], -(-n * (1000 - p) // 1000)
    return high, kept - high, n - kept


def _low_share_of_what_is_kept(n: int, q: int, p: int) -> tuple[int, int, int]:
    kept = n * (1000 - p) // 1000
    high = kept * (1000 - q) // 1000
    return high, kept - high, n - kept


def _floor_of_floats(n: int, q: int, p: int) -> tuple[int, int, int]:
    high, kept = int(n * (1 - p / 1000 - q / 1000)), int(n * (1 - p / 1000))
    return high, kept - high, n - kept


SPLIT_FAULTS: dict[str, Split] = {
    "pruned windows lost": lambda n, q, p: (*group_sizes(n, q, p)[:2], 0),
    "kept rounded up": _kept_rounded_up,
    "low share of what is kept": _low_share_of_what_is_kept,
    "floor of floats": _floor_of_floats,
}


@pytest.mark.parametrize("name", SPLIT_FAULTS)
def test_a_faulty_division_is_noticed(name: str) -> None:
    assert any(
        split_violation(SPLIT_FAULTS[name], windows, low, pruned)
        for windows in (10, 25, 64)
        for low, pruned in ((300, 200), (400, 300), (200, 100))
    )


def nested_violation(ratios: Ratios, windows: int) -> str:
    """A window that runs better later in its stage, by rank and on both grids alike, or nothing."""
    for stage, depth in enumerate(DEPTHS):
        worst = [0] * windows
        for block in range(depth):
            high, low, _ = ratios.sizes(stage, block, windows)
            for rank in range(windows):
                level = 0 if rank < high else 1 if rank < high + low else 2
                if level < worst[rank]:
                    return f"rank {rank} is promoted in stage {stage} block {block}"
                worst[rank] = level
    return ""


@given(st.lists(both(), min_size=3, max_size=3), st.integers(1, 100))
def test_what_is_accepted_is_nested_and_what_promotes_is_refused(pairs: list[tuple[int, int]], windows: int) -> None:
    low, pruned = (tuple(part) for part in zip(*pairs, strict=True))
    parts = ((0,), (0,), low), ((0,), (0,), pruned)
    lenient = Ratios(*parts, Promotion.RATIOS)
    if nested_violation(lenient, 1000):  # a thousand windows show every thousandth
        with pytest.raises(InputError, match="must not fall"):
            Ratios(*parts)
    else:
        assert nested_violation(Ratios(*parts), windows) == ""


def test_low_windows_may_become_pruned_ones() -> None:
    ratios = Ratios(((0,), (0,), (500, 300, 100)), ((0,), (0,), (0, 300, 500)))
    assert [ratios.sizes(2, block, 10) for block in (0, 2, 4)] == [(5, 5, 0), (4, 3, 3), (4, 1, 5)]


@pytest.mark.parametrize(
    ("compression", "pruning", "message"),
    [
        (((0,), (0,), (400, 200, 200)), (), "0.2 after 0.4; ratios must not fall"),
        (((0,), (0,), (0, 0, 0)), ((0,), (0,), (100, 0, 0)), "0 after 0.1; pruning ratios must not fall"),
        (((0,), (0,), (400, 0, 0)), ((0,), (0,), (0, 100, 100)), "together must not fall"),
        (((800,),), ((201,),), "pruning \\+ compression is at most 1"),
        (((1000,),), ((1,),), "pruning \\+ compression is at most 1"),
        (((0,),), ((-1,),), "out of range"),
        (((900,),), ((0,),), "out of range"),
        (((0,), (0,)), ((0,),), "pruning ratios per stage"),
    ],
)
def test_impossible_ratios_are_refused(
    compression: tuple[tuple[int, ...], ...], pruning: tuple[tuple[int, ...], ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Ratios(compression, pruning)


def test_what_does_not_fit_a_model_is_refused() -> None:
    with pytest.raises(InputError, match="block pairs"):
        ratios_at(Ratios(((0,), (0,))), DEPTHS)
    with pytest.raises(InputError, match="block pairs"):
        RatioChoice(((0,), (0,))).at(DEPTHS)


def test_an_integer_is_a_compression_ratio_for_all_pairs() -> None:
    assert ratios_at(400, DEPTHS) == Ratios(((400,), (400,), (400, 400, 400))) == Ratios.uniform(400, DEPTHS)
    assert RatioChoice(300, 200).at(DEPTHS) == Ratios.uniform(300, DEPTHS, 200)


@given(choices())
def test_a_stem_names_its_choice(choice: RatioChoice) -> None:
    found = RatioChoice.of_stem(choice.stem)
    assert found.stem == choice.stem
    assert (found.compression, found.nominal, found.promotion) == (choice.compression, choice.nominal, choice.promotion)
    assert found.pruning == (choice.pruning if choice.prunes else 0)
    assert not set("/ ") & set(choice.stem)


def test_stems_of_plain_ratios_are_short_and_other_texts_are_refused() -> None:
    assert RatioChoice(400).stem == "ratio_0400"
    assert RatioChoice(((200,), (600, 700)), 100).stem == "ratio_0200-0600.0700_pruning_0100"
    for text in ("ratio", "ratio_x", "uniform_w4a4", "ratio_0400_"):
        with pytest.raises(ValueError, match="does not name ratios"):
            RatioChoice.of_stem(text)


def test_texts_are_what_is_typed() -> None:
    assert pairs_text(350) == "0.35"
    assert pairs_text(((200,), (400, 1000))) == "0.2/0.4,1"
    assert same_everywhere("0.4/0.4,0.4")
    assert not same_everywhere("0.4/0.4,0.5")
    assert RatioChoice(300, 200, Promotion.RATIOS).label == "0.3 pruning 0.2 promotion ratios"
    assert RatioChoice(300).label == "0.3"
