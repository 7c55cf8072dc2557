"""The examples of `--help` run, in the full set; before that, that none is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_runner.examples import example_steps, idle_forms
from docs_runner.pages import REPOSITORY
from docs_runner.parsing import check_command
from docs_runner.run import run_steps


def test_no_shortened_form_is_idle() -> None:
    assert idle_forms() == set()


def test_every_example_is_run_by_a_command_that_is_known() -> None:
    _, *steps = example_steps()
    ran = [[check_command(step.where, line) for line in step.text.splitlines()] for step in steps]
    assert all(any(known) for known in ran)


@pytest.mark.full
@pytest.mark.needs("fashion-mnist")
def test_the_examples_run(tmp_path: Path) -> None:
    run_steps(example_steps(), tmp_path, REPOSITORY)
