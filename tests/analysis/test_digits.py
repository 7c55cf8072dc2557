"""Quantities as text: digits that mean something at every size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray.digits import percent, significant


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7376.71, "7,376.7"),
        (11_775.7, "11,776"),
        (1_234_567.8, "1,234,568"),
        (0.0294118, "0.029412"),
        (0.00012, "0.00012000"),
        (0.000012, "1.2000e-05"),
        (-3.5, "-3.5000"),
    ],
)
def test_examples(value: float, text: str) -> None:
    assert significant(value) == text


@given(st.floats(1e-12, 1e12), st.integers(3, 6))
def test_the_text_is_the_value_to_so_many_digits(value: float, digits: int) -> None:
    assert float(significant(value, digits).replace(",", "")) == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits))


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0.0 %"),
        (1e-6, "less than 0.1 %"),
        (0.104, "10.4 %"),
        (0.99999, "more than 99.9 %"),
        (1, "100.0 %"),
        (2.5, "250.0 %"),
    ],
)
def test_a_share_rounds_to_nothing_or_all_only_where_it_is(share: float, text: str) -> None:
    assert percent(share) == text
