"""Blocks, marks and kinds of a page, and every page that must be refused."""

from __future__ import annotations

import pytest
from docs_runner.reader import DocsError, read_page
from docs_runner.steps import Action, Step, commands_of, steps_of

PAGE = """# Title

Text.

    mixarray one   # a comment

    mixarray two

<!-- run: mixarray short
mixarray shorter -->

    mixarray long

```console
$ mixarray told \\
    --more
an answer
of two lines
$ mixarray silent
```

<!-- before: touch a -->
<!-- needs: verilator chromium -->
<!-- file: SPEC.yaml -->

```yaml
a: 1
```

<!-- output of: mixarray table -->
<!-- tolerance: 5 % -->

    a  b
    1  2

- item
  text

<!-- python: x = 1
if x:
    y = 2 -->

    from a import b

```text
anything
```

<!-- not run: a synopsis -->

    mixarray KIND
"""


def told(page: str) -> list[Step]:
    return steps_of(read_page("p.md", page))


def test_a_page_becomes_its_steps_in_order() -> None:
    shell = Action.SHELL
    assert told(PAGE) == [
        Step("p.md:5", shell, "mixarray one   # a comment\n\nmixarray two"),
        Step("p.md:12", shell, "mixarray short\nmixarray shorter"),
        Step("p.md:14", shell, "mixarray told \\\n    --more", shown="an answer\nof two lines"),
        Step("p.md:14", shell, "mixarray silent", shown=""),
        Step("p.md:22", shell, "touch a"),
        Step("p.md:26", Action.WRITE, "a: 1\n", "SPEC.yaml"),
        Step("p.md:33", shell, "mixarray table", shown="a  b\n1  2", excerpt=True, tolerance=0.05),
        Step("p.md:43", Action.PYTHON, "x = 1\nif x:\n    y = 2\nfrom a import b\n"),
    ]
    assert read_page("p.md", PAGE).needs == ("verilator", "chromium")


def test_shortened_commands_are_still_known() -> None:
    assert [line for _, line in commands_of(read_page("p.md", PAGE))] == [
        "mixarray one   # a comment", "mixarray two", "mixarray long", "mixarray told --more", "mixarray silent",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("    what is this\n", "p.md:1: neither command nor Python"),
        ("```\nwhat is this\n```\n", "p.md:1: neither command nor Python"),
        ("```cobol\nMOVE A TO B\n```\n", "unknown language 'cobol'"),
        ("<!-- rum: mixarray -->\n", "unknown mark 'rum'"),
        ("text\n\n<!-- run: mixarray -->\n\ntext\n", "p.md:5: the mark run stands before no block"),
        ("<!-- run: mixarray -->\n", "stands before no block"),
        ("<!-- run:  -->\n\n    mixarray\n", "says nothing"),
        ("<!-- run: a -->\n<!-- not run: b -->\n\n    mixarray\n", "exclude each other"),
        ("<!-- python: x = 1 -->\n\n    mixarray\n", "not of a Python block"),
        ("<!-- tolerance: some -->\n\n    mixarray\n", "no percentage"),
        ("<!-- exit: bad -->\n\n    mixarray\n", "no exit code"),
        ("```console\nno prompt\n```\n", "a console begins with"),
        ("```sh\nmixarray\n", "a fence that does not end"),
        ("<!-- run: mixarray\n", "a comment that does not end"),
        ("- item\n\n    mixarray\n", "indented lines in a list"),
    ],
)
def test_nothing_is_passed_over_in_silence(page: str, says: str) -> None:
    with pytest.raises(DocsError) as raised:
        told(page)
    assert says in str(raised.value)


def test_comments_and_indents_that_are_no_blocks_are_left_alone() -> None:
    assert told("<!-- A remark. -->\n\ntext that goes on\n    with an indent\n\n- item\n  goes on\n") == []
