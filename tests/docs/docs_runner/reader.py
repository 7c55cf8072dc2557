"""Reading a page: its blocks of code, and the marks in HTML comments that say how the runner treats them.

A block is fenced, or indented by four blanks behind an empty line. Marks stand right before the block they are of:

    run: COMMANDS        run these instead, a shortened form
    not run: REASON      this is nothing to run
    output of: COMMAND   this is printed by the command, maybe amid other lines
    file: NAME           this is the content of a file, written for the commands behind it
    python: CODE         lines that go before those of a Python block
    exit: CODE           the exit code that is expected, 0 if nothing is said
    tolerance: N %       numbers in the output may differ by so much

and these anywhere: `before: COMMANDS` are run unseen, `needs: PARTS` names optional parts that the page needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class DocsError(Exception):
    """A page that does not hold: where, and what is wrong."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")


class Mark(StrEnum):
    """What a comment may say."""

    RUN = "run"
    NOT_RUN = "not run"
    OUTPUT_OF = "output of"
    FILE = "file"
    PYTHON = "python"
    EXIT = "exit"
    TOLERANCE = "tolerance"
    BEFORE = "before"
    NEEDS = "needs"


ANYWHERE = (Mark.BEFORE, Mark.NEEDS)
FENCE = re.compile(r"( *)```(\w*)\s*$")
MARK = re.compile(r"([a-z ]+):(.*)", re.DOTALL)
LIST_ITEM = re.compile(r" *([-*]|\d+\.) ")
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code. where: page and line; language: of its fence, "" where there is none."""

    where: str
    language: str
    text: str
    marks: dict[Mark, str]


@dataclass(frozen=True, slots=True)
class Unseen:
    """Commands that a page runs without showing them."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """What the runner takes from a page, in its order; needs: optional parts."""

    items: tuple[Block | Unseen, ...]
    needs: tuple[str, ...]


def read_page(name: str, text: str) -> Page:
    """The blocks of a page; DocsError for a mark that is unknown, or stands before no block."""
    reader = _Reader(name, text.splitlines())
    while reader.at < len(reader.lines):
        reader.take()
    reader.refuse_idle_marks(len(reader.lines))
    return Page(tuple(reader.items), tuple(reader.needs))


class _Reader:
    """The place in a page, and what was read before it."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name, self.lines, self.at = name, lines, 0
        self.items: list[Block | Unseen] = []
        self.needs: list[str] = []
        self.marks: dict[Mark, str] = {}
        self.in_list = False

    def where(self, index: int) -> str:
        return f"{self.name}:{index + 1}"

    def take(self) -> None:
        """Read one line, or a whole comment or block."""
        line = self.lines[self.at]
        if line.strip():
            self.in_list = bool(LIST_ITEM.match(line)) or (self.in_list and line.startswith("  "))
        if line.lstrip().startswith("<!--"):
            self._comment()
        elif fence := FENCE.fullmatch(line):
            self._fenced(len(fence[1]), fence[2])
        elif line.startswith(INDENT) and line.strip() and self._behind_a_gap():
            self._indented()
        else:
            if line.strip():
                self.refuse_idle_marks(self.at)
            self.at += 1

    def refuse_idle_marks(self, index: int) -> None:
        """Raise DocsError where marks were read and no block follows."""
        if self.marks:
            raise DocsError(self.where(index), f"the mark {', '.join(self.marks)} stands before no block")

    def _behind_a_gap(self) -> bool:
        before = self.lines[self.at - 1].strip() if self.at else ""
        return not before or before.endswith("-->")

    def _comment(self) -> None:
        begin = self.at
        while "-->" not in self.lines[self.at]:
            self.at += 1
            if self.at == len(self.lines):
                raise DocsError(self.where(begin), "a comment that does not end")
        self.at += 1
        inside = "\n".join(self.lines[begin : self.at]).strip().removeprefix("<!--").removesuffix("-->").strip()
        found = MARK.fullmatch(inside)
        if found is None:
            return
        if found[1] not in list(Mark):
            raise DocsError(self.where(begin), f"unknown mark {found[1]!r}; known: {', '.join(Mark)}")
        mark, value = Mark(found[1]), "\n".join(line.strip() for line in found[2].strip().splitlines())
        if mark is Mark.PYTHON:  # indents count
            value = found[2].strip("\n ")
        if not value:
            raise DocsError(self.where(begin), f"the mark {mark} says nothing")
        if mark is Mark.BEFORE:
            self.items.append(Unseen(self.where(begin), value))
        elif mark is Mark.NEEDS:
            self.needs += value.split()
        else:
            self.marks[mark] = value

    def _fenced(self, indent: int, language: str) -> None:
        begin = self.at
        self.at += 1
        inside = []
        while self.at < len(self.lines) and self.lines[self.at].strip() != "```":
            inside.append(self.lines[self.at][indent:])
            self.at += 1
        if self.at == len(self.lines):
            raise DocsError(self.where(begin), "a fence that does not end")
        self.at += 1
        self._add(begin, language, inside)

    def _indented(self) -> None:
        begin = self.at
        if self.in_list:
            raise DocsError(self.where(begin), "indented lines in a list are no block; fence them")
        while self.at < len(self.lines) and (self.lines[self.at].startswith(INDENT) or not self.lines[self.at].strip()):
            self.at += 1
        self._add(begin, "", [line[len(INDENT) :] for line in self.lines[begin : self.at]])

    def _add(self, begin: int, language: str, inside: list[str]) -> None:
        text = "\n".join(line.rstrip() for line in inside).strip("\n")
        self.items.append(Block(self.where(begin), language, text, self.marks))
        self.marks = {}
