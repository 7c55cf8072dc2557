"""A page whose command fails, or prints something else than it shows, fails; one that holds passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_runner.compare import agrees
from docs_runner.reader import DocsError, read_page
from docs_runner.run import run_steps
from docs_runner.steps import steps_of


def run(page: str, scratch: Path) -> None:
    run_steps(steps_of(read_page("p.md", page)), scratch, scratch)


def test_a_page_that_holds(tmp_path: Path) -> None:
    run(
        "<!-- file: a.txt -->\n\n```text\nin a file\n```\n\n"
        "```console\n$ cat a.txt\nin a file\n$ printf 'é 5\\n'\né 5\n```\n"
        "\n<!-- exit: 3 -->\n\n```sh\ncat a.txt > b.txt; exit 3\n```\n\n"
        '<!-- output of: cat b.txt; test "$REPOSITORY" -->\n\n    in a file\n',
        tmp_path,
    )
    assert (tmp_path / "work" / "b.txt").read_text() == "in a file\n"


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("```sh\nfalse\ntrue\n```\n", "p.md:1: exit code 1, not 0"),
        ("```sh\nfalse | true\n```\n", "exit code 1, not 0"),
        ("```sh\necho $UNSET_NAME\n```\n", "exit code 1, not 0"),
        ("<!-- exit: 2 -->\n\n```sh\ntrue\n```\n", "exit code 0, not 2"),
        ("text\n\n```console\n$ echo 2\n1\n```\n", "p.md:3: the page shows something else"),
        ("```console\n$ echo more than shown\n```\n", "the page shows something else"),
        ("<!-- output of: echo 1 -->\n\n    2\n", "the page shows something else"),
        ("<!-- run: false -->\n\n    mixarray\n", "exit code 1"),
        ("<!-- before: false -->\n", "exit code 1"),
    ],
)
def test_planted_faults_are_noticed(page: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(DocsError) as raised:
        run(page, tmp_path)
    assert says in str(raised.value)


def test_a_python_block_that_fails_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(DocsError, match="exit code 1"):
        run("```python\nassert 1 == 2\n```\n", tmp_path)


@pytest.mark.parametrize(
    ("shown", "printed", "tolerance", "excerpt"),
    [
        ("a\nb", "a\nb\n", 0, False),
        ("a  ", "a\n", 0, False),
        ("", "", 0, False),
        ("a\n...\nd", "a\nb\nc\nd\n", 0, False),
        ("a\n...", "a\nb\n", 0, False),
        ("...\nb", "a\nb\n", 0, False),
        ("...\nb\n...", "a\nb\nc\n", 0, False),
        ("...", "a\nb\n", 0, False),
        ("...\nb", "b\nb\n", 0, False),
        ("b\nc", "a\nb\nc\nd\n", 0, True),
        ("in  1,000 s", "in 1,049 s", 0.05, False),
    ],
)
def test_what_agrees(shown: str, printed: str, tolerance: float, excerpt: bool) -> None:
    assert agrees(shown, printed, tolerance, excerpt=excerpt)


@pytest.mark.parametrize(
    ("shown", "printed", "tolerance", "excerpt"),
    [
        ("a\nb", "a\n", 0, False),
        ("a", "a\nb\n", 0, False),
        ("b", "a\nb\n", 0, False),
        ("", "a\n", 0, False),
        ("a\n...\nd", "a\nb\n", 0, False),
        ("a\n...\na", "a\n", 0, False),
        ("...\nb", "b\nc\n", 0, False),
        ("b\nd", "a\nb\nc\nd\n", 0, True),
        ("1 s", "1.1 s", 0.05, False),
        ("1 s", "1 m", 0.05, False),
        ("1 s", "1.01 s", 0, False),
    ],
)
def test_what_does_not(shown: str, printed: str, tolerance: float, excerpt: bool) -> None:
    assert not agrees(shown, printed, tolerance, excerpt=excerpt)
