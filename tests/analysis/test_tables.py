"""Tables for people: at every width all of it is there, and foreign text is shown, never obeyed."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement

from mixarray_analysis.printable import printable
from mixarray_analysis.tables import WIDEST_TABLE, make_table, show

HEADINGS = ("layer", "M", "util %", "ifmap reads", "ofmap writes")
ROW = ("stages.0.blocks.0.attn.proj", "3,136", "50.16", "13,557,633", "13,708,017")
FOREIGN = (
    "[/x]",
    "conv[red]y[/red]",
    "[bold]x",
    "smile:smile:",
    "a\x1b[31mred",
    "b\x07\x9b",
    "r\u202ec",
    "层1",
    "a\tb",
)
WORD = st.text("abcdefgh", min_size=1, max_size=30)


def rendered(table: RenderableType, width: int) -> list[str]:
    """Lines on paper of this width, or of the width that the table needs."""
    console = Console(file=io.StringIO(), width=width)
    needed = Measurement.get(console, console.options.update_width(WIDEST_TABLE), table).minimum
    wide = Console(file=io.StringIO(), width=max(width, needed))
    with wide.capture() as captured:
        wide.print(table)
    return captured.get().splitlines()


@given(
    st.integers(1, 5).flatmap(lambda size: st.lists(st.lists(WORD, min_size=size, max_size=size), min_size=1)),
    st.data(),
)
def test_nothing_vanishes_at_any_width(rows: list[list[str]], data: st.DataObject) -> None:
    """Headings and cells may be broken into lines, but every character is there."""
    width, folds = data.draw(st.integers(1, 200)), data.draw(st.sets(st.integers(0, len(rows[0]) - 1)))
    lines = rendered(make_table(rows[0], rows[1:], folds=folds), width)
    assert sorted("".join("".join(lines).split())) == sorted("".join(map("".join, rows)))


@pytest.mark.parametrize("width", [10, 60, 80, 150])
def test_only_the_name_folds(width: int) -> None:
    lines = rendered(make_table(HEADINGS, [ROW]), width)
    first = next(number for number, line in enumerate(lines) if line.startswith("stages"))
    assert "".join(line.split()[0] for line in lines[first:]) == ROW[0]
    assert lines[first].split()[1:] == list(ROW[1:])
    assert {word for heading in HEADINGS for word in heading.split()} == set(" ".join(lines[:first]).split())


def test_where_there_is_room_a_row_is_a_line() -> None:
    assert [line.split() for line in rendered(make_table(HEADINGS, [ROW]), 150)][1] == list(ROW)


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_text_is_shown_as_it_is(name: str) -> None:
    lines = rendered(make_table(["name", "M"], [[name, "1"]], title=name), 80)
    assert [lines[0].rstrip(), lines[2].split()] == [printable(name), [printable(name), "1"]]
    assert all(line.isprintable() for line in lines)


@given(st.text())
def test_printable_text_is_printable_and_else_unchanged(text: str) -> None:
    assert printable(text).isprintable()
    assert text == printable(text) or not text.isprintable()


def test_a_table_gets_the_width_it_needs_from_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show(Group(make_table(HEADINGS, [ROW], title="one"), "", make_table(HEADINGS[:2], [ROW[:2]], title="two")))
    text = capsys.readouterr().out
    assert all(word in text for word in ("one", "two", "layer", "writes", *ROW[1:]))
