"""Saying something: within a terminal's width, in its encoding."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixarray_analysis.cli import main
from mixarray_analysis.printable import printable
from mixarray_analysis.say import fold, say
from mixarray_analysis.tables import make_table, show

WORDS = st.lists(st.text("abcdef-/.", min_size=1, max_size=12), min_size=1, max_size=40)


@given(WORDS, st.integers(24, 90), st.sampled_from(["", "  ", "    label   ", "name  "]))
def test_folded_lines_fit_and_lose_nothing(words: list[str], width: int, start: str) -> None:
    lines = fold(start + " ".join(words), width)
    assert max(map(len, lines)) <= width
    assert " ".join(lines).split() == [*start.split(), *words]


def test_a_value_goes_on_below_itself() -> None:
    assert fold("  speedup      1.4x over ratio 0", 24) == ["  speedup      1.4x over", "               ratio 0"]
    assert fold("a sentence of five words", 14) == ["a sentence of", "five words"]


def test_a_word_that_is_too_long_stays_whole() -> None:
    assert fold("sha256  0123456789abcdef", 20) == ["sha256", "  0123456789abcdef"]
    assert fold("0123456789abcdef", 10) == ["0123456789abcdef"]


def test_only_a_terminal_folds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    say("word " * 20 + "end")
    assert capsys.readouterr().out.count("\n") == 1
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    say("word " * 20 + "end")
    assert capsys.readouterr().out.count("\n") == 3


@pytest.mark.parametrize(
    ("encoding", "text"), [("utf-8", "µJ·ms mm² ü"), ("latin-1", "µJ·ms mm² ü"), ("ascii", "uJ*ms mm2 \\xfc")]
)
def test_units_are_spelled_as_the_encoding_allows(encoding: str, text: str) -> None:
    assert printable("µJ·ms mm² ü", encoding) == text
    assert printable("\x1b", encoding) == r"\x1b"


def test_an_ascii_output_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables and lines, and columns that still stand below one another."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    say("7 µJ in büro")
    show(make_table(["run", "µJ"], [["büro", "7"], ["a", "8"]]))
    sys.stdout.flush()
    lines = written.getvalue().decode("ascii").splitlines()
    assert lines[0] == r"7 uJ in b\xfcro"
    assert [line.split() for line in lines[1:]] == [["run", "uJ"], [r"b\xfcro", "7"], ["a", "8"]]
    assert len({len(line) for line in lines[1:]}) == 1


def test_a_single_gemm_has_an_energy_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    assert main(["simulate", "--gemm", "1,1,1", "--bits", "8,4"]) == 0
    line = next(line for line in written.getvalue().decode("ascii").splitlines() if line.startswith("  energy"))
    assert line.split()[2] == "uJ"
    assert float(line.split()[1]) > 0
