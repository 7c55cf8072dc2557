"""Running the steps of a page in a scratch folder, where `mixarray` and `python` are those of this environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from docs_runner.compare import agrees
from docs_runner.reader import DocsError
from docs_runner.steps import Action, Step

LIMIT_S = 600
"""A step that takes longer belongs in a shortened form."""
TAIL = 3000
"""Characters of an output that a failure quotes."""


def run_steps(steps: Sequence[Step], scratch: Path, repository: Path) -> None:
    """Run the steps in order; DocsError at the first that fails or prints something else.

    Commands find the repository as $REPOSITORY.
    """
    work = scratch / "work"
    work.mkdir()
    environment = _environment(scratch / "bin", repository)
    for step in steps:
        if step.action is Action.WRITE:
            (work / step.file).write_text(step.text, encoding="utf-8")
        else:
            _run(step, work, environment)


def _environment(commands: Path, repository: Path) -> dict[str, str]:
    commands.mkdir()
    for name, words in (("mixarray", "-m mixarray_analysis "), ("python", "")):
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}"$@"\n')
        (commands / name).chmod(0o755)
    path = f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "REPOSITORY": str(repository), "OMP_NUM_THREADS": "1"}


def _run(step: Step, work: Path, environment: dict[str, str]) -> None:
    if step.action is Action.PYTHON:
        script = work.parent / "block.py"  # beside the work, so that it is no file of the page
        script.write_text(step.text, encoding="utf-8")
        command = [sys.executable, str(script)]
    else:
        command = ["bash", "-euo", "pipefail", "-c", step.text]
    try:
        done = subprocess.run(
            command, cwd=work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, encoding="utf-8", timeout=LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DocsError(step.where, f"takes longer than {LIMIT_S} s: {step.text}") from None
    said = f"{step.text}\n--- printed\n{done.stdout[-TAIL:]}"
    if done.returncode != step.exit_code:
        raise DocsError(step.where, f"exit code {done.returncode}, not {step.exit_code}: {said}")
    if step.shown is not None and not agrees(step.shown, done.stdout, step.tolerance, excerpt=step.excerpt):
        raise DocsError(step.where, f"the page shows something else than {said}\n--- shown\n{step.shown}")
