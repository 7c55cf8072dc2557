"""From blocks to steps: what is run, and what must come of it. A block that is nothing known is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from docs_runner.reader import Block, DocsError, Mark, Page, Unseen

COMMAND_WORDS = ("mixarray", "make", "python", "pip", "apt-get", "cd", "verilator", ".")
PROMPT = "$ "
COMMENT = "#"


class Kind(StrEnum):
    """What a block is."""

    SHELL = "shell"
    CONSOLE = "console"
    PYTHON = "python"
    DATA = "data"


LANGUAGES = {
    "sh": Kind.SHELL,
    "bash": Kind.SHELL,
    "console": Kind.CONSOLE,
    "python": Kind.PYTHON,
    "text": Kind.DATA,
    "yaml": Kind.DATA,
    "json": Kind.DATA,
    "csv": Kind.DATA,
}


class Action(StrEnum):
    """What a step does with its text."""

    SHELL = "shell"
    PYTHON = "python"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do, in a page's scratch folder.

    file: where the text of WRITE goes. shown: what must be printed, None for anything; excerpt: amid other lines.
    tolerance: share by which numbers may differ.
    """

    where: str
    action: Action
    text: str
    file: str = ""
    exit_code: int = 0
    shown: str | None = None
    excerpt: bool = False
    tolerance: float = 0.0


def kind_of(block: Block) -> Kind:
    """What a block is, by its language or else by its first line that is no comment; DocsError where neither tells."""
    if block.language:
        if block.language not in LANGUAGES:
            raise DocsError(block.where, f"unknown language {block.language!r}; known: {', '.join(LANGUAGES)}")
        return LANGUAGES[block.language]
    first = next((line for line in block.text.splitlines() if not line.startswith(COMMENT)), "")
    if first.partition(" ")[0] in COMMAND_WORDS:
        return Kind.SHELL
    if first.startswith(("from ", "import ")):
        return Kind.PYTHON
    raise DocsError(block.where, f"neither command nor Python: {first!r}; give it a language or a mark")


def steps_of(page: Page) -> list[Step]:
    """The steps of a page in order; DocsError for a block that cannot be told, or marks that do not fit it."""
    return [step for item in page.items for step in _steps(item)]


def commands_of(page: Page) -> list[tuple[str, str]]:
    """(where, command line) of every command of the shell that a page shows, also of those that are shortened."""
    found = []
    for block in page.items:
        if isinstance(block, Block) and not {Mark.NOT_RUN, Mark.OUTPUT_OF, Mark.FILE} & set(block.marks):
            kind = kind_of(block)
            if kind is Kind.SHELL:
                found += [(block.where, line) for line in _joined(block.text)]
            elif kind is Kind.CONSOLE:
                found += [(block.where, line) for command, _ in _prompted(block) for line in _joined(command)]
    return found


def _joined(text: str) -> list[str]:
    return [line for line in re.sub(r"\\\n *", "", text).splitlines() if line.strip()]


def _steps(item: Block | Unseen) -> Iterator[Step]:
    if isinstance(item, Unseen):
        yield Step(item.where, Action.SHELL, item.text)
        return
    marks = dict(item.marks)
    code, tolerance = _exit_code(item.where, marks.pop(Mark.EXIT, "0")), _share(item.where, marks)
    if len(marks) > 1:
        raise DocsError(item.where, f"the marks {', '.join(marks)} exclude each other")
    mark, value = next(iter(marks.items()), (None, ""))
    match mark:
        case Mark.NOT_RUN:
            return
        case Mark.OUTPUT_OF:
            yield Step(item.where, Action.SHELL, value, "", code, item.text, excerpt=True, tolerance=tolerance)
        case Mark.FILE:
            yield Step(item.where, Action.WRITE, item.text + "\n", value)
        case _:
            yield from _by_kind(item, mark, value, code, tolerance)


def _by_kind(block: Block, mark: Mark | None, value: str, code: int, tolerance: float) -> Iterator[Step]:
    kind = kind_of(block)
    if mark is Mark.PYTHON and kind is not Kind.PYTHON:
        raise DocsError(block.where, "the mark python is not of a Python block")
    if mark is Mark.RUN:
        yield Step(block.where, Action.SHELL, value, "", code)
    elif kind is Kind.SHELL:
        yield Step(block.where, Action.SHELL, block.text, "", code)
    elif kind is Kind.PYTHON:
        yield Step(block.where, Action.PYTHON, f"{value}\n{block.text}\n", "", code)
    elif kind is Kind.CONSOLE:
        for command, shown in _prompted(block):
            yield Step(block.where, Action.SHELL, command, "", code, shown, tolerance=tolerance)


def _prompted(block: Block) -> list[tuple[str, str]]:
    """(command, what it prints) behind every prompt."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.replace("\\\n", "\\\0").splitlines():
        if line.startswith(PROMPT):
            found.append((line.removeprefix(PROMPT).replace("\\\0", "\\\n"), []))
        elif not found:
            raise DocsError(block.where, f"a console begins with {PROMPT!r}, not with {line!r}")
        else:
            found[-1][1].append(line.replace("\\\0", "\\\n"))
    return [(command, "\n".join(lines).strip("\n")) for command, lines in found]


def _exit_code(where: str, text: str) -> int:
    if not text.isdigit():
        raise DocsError(where, f"exit: {text!r} is no exit code")
    return int(text)


def _share(where: str, marks: dict[Mark, str]) -> float:
    text = marks.pop(Mark.TOLERANCE, "0 %")
    found = re.fullmatch(r"(\d+(?:\.\d+)?) %", text)
    if found is None:
        raise DocsError(where, f"tolerance: {text!r} is no percentage, such as 5 %")
    return float(found[1]) / 100
