"""`--help` of every command: examples that the command line knows, in one form; the reference page; completion."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from docs_runner.parsing import check_command

from mixarray.accelerator.load import list_accelerators
from mixarray.errors import InputError
from mixarray_analysis.cli.completion import complete_accelerators
from mixarray_analysis.cli.examples import WIDTH, commands_of, examples
from mixarray_analysis.cli.reference import MARK, Command, commands_page, every_command

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
COMMANDS = every_command()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.path)
def test_every_command_has_examples_that_it_knows(command: Command) -> None:
    shown = commands_of(command.epilog)
    assert 1 <= len(shown) <= 3
    for line in shown:
        assert line.startswith(command.path)
        assert check_command(command.path, line)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.path)
def test_help_shows_them_line_by_line_and_fits_a_terminal(command: Command) -> None:
    shown = [line.rstrip() for line in command.text.partition("  Examples:\n")[2].splitlines()]
    wanted = [f"  {line}" for one in commands_of(command.epilog) for line in examples(one).splitlines()[2:]]
    assert shown[: len(wanted)] == wanted
    assert max(map(len, wanted)) <= 80


def test_the_list_of_commands_cuts_no_summary() -> None:
    assert [one.path for one in COMMANDS[1:] if not one.summary.endswith(".") or one.summary.endswith("...")] == []
    assert "..." not in COMMANDS[0].text.partition("Commands:")[2]


def test_examples_are_whole_again_after_being_wrapped() -> None:
    long = f"mixarray record {'--image photograph.jpg ' * 6}--ratio '0;0.4' -o runs/bundle"
    assert commands_of(examples("mixarray demo", long)) == ("mixarray demo", long)
    assert max(map(len, examples(long).splitlines())) <= WIDTH + len("       \\")
    assert shlex.split(commands_of(examples(long))[0]) == shlex.split(long)
    assert commands_of("Exit codes: 0 done.") == ()


def test_the_reference_is_what_the_commands_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert commands_page(page) == page, "write it anew: make commands"


def test_a_stale_reference_is_noticed() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert commands_page(page.replace("--quiet", "--silent")) != page.replace("--quiet", "--silent")
    with pytest.raises(InputError, match="lacks the line"):
        commands_page(page.replace(MARK, ""))


def test_the_page_names_what_has_no_json() -> None:
    told = re.search(r"\*\*JSON\.\*\*(.*?)\n\n", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert told is not None
    named = {f"mixarray {name}" for name in re.findall(r"`([a-z ]+)`", told[1])}
    assert named == {one.path for one in COMMANDS[1:] if "--json" not in one.options}


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("mixarray simul", "simulate"),
        ("mixarray plot util", "utilization"),
        ("mixarray search --obj", "--objective"),
        ("mixarray simulate -a decoup", "decoupled_int8_int4"),
        ("mixarray explain -a decoupled_int8_int4,plain_int8_o", "decoupled_int8_int4,plain_int8_os_32x32"),
    ],
)
def test_bash_completes(typed: str, completed: str) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1), "_MIXARRAY_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-m", "mixarray_analysis"], env=os.environ | words, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [completed]


def test_accelerators_complete_to_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "mine.txt").touch()
    (tmp_path / "minerals").mkdir()
    monkeypatch.chdir(tmp_path)
    assert complete_accelerators("mi") == ["mine.yaml", "minerals/"]
    assert complete_accelerators("a,./mi") == ["a,./mine.yaml", "a,./minerals/"]
    assert complete_accelerators(f"{tmp_path}/mine.y") == [f"{tmp_path}/mine.yaml"]
    assert complete_accelerators("[") == complete_accelerators("none/mi") == []
    assert complete_accelerators("") == list(list_accelerators())
