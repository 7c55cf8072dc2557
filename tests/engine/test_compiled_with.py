"""Compiled code is kept until its own file changes: every such file states the others that it was compiled with."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import mixarray
from mixarray.compiled import file_digest

PACKAGE = Path(mixarray.__file__).parent
MARK = "@compiled"
TABLES = "engine/fast_tables.py"


def compiled_files() -> list[Path]:
    """The files of the package that have compiled functions."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if MARK in path.read_text(encoding="utf-8").split("\n")]


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name in this file, module it is or comes from) of what a file takes from the package."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mixarray"):
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                is_file = (PACKAGE.parent / module.replace(".", "/")).with_suffix(".py").exists()
                yield alias.asname or alias.name, module if is_file else str(node.module)


def used(tree: ast.Module) -> set[str]:
    """Names in the bodies of the compiled functions."""
    bodies = [
        statement
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any("compiled" in ast.unparse(mark) for mark in node.decorator_list)
        for statement in node.body
    ]
    return {name.id for body in bodies for name in ast.walk(body) if isinstance(name, ast.Name)}


def stated(tree: ast.Module) -> dict[str, str]:
    """COMPILED_WITH of a file: what it was compiled with, and the digest of that; nothing where it states nothing."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COMPILED_WITH":
            found: dict[str, str] = ast.literal_eval(node.value)
            return found
    return {}


def problems(source: str, package: Path) -> list[str]:
    """What a source does not state, or states of another version than is in `package`."""
    tree = ast.parse(source)
    needed = {module for name, module in imported(tree) if name in used(tree)}
    files = {"/".join(module.split(".")[1:]) + ".py" for module in needed}
    digests = stated(tree)
    missing = [f"{name} is not stated" for name in sorted(files - digests.keys())]
    stale = [
        f"state {file_digest(package / name)} for {name}"
        for name, digest in digests.items()
        if digest != file_digest(package / name)
    ]
    return missing + stale


def test_the_engine_and_the_mapper_have_compiled_files():
    names = {f"{path.parent.name}/{path.stem}" for path in compiled_files()}
    assert names >= {"engine/fast_walk", "engine/fast_steady", "engine/fast_ways", "mapping/pipeline_bound"}


@pytest.mark.parametrize("path", compiled_files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_states_what_it_was_compiled_with(path):
    assert problems(path.read_text(encoding="utf-8"), PACKAGE) == []


@pytest.mark.parametrize("name", ["fast_steady.py", "fast_ways.py"])
def test_a_file_that_states_less_or_another_version_is_noticed(name):
    source = (PACKAGE / "engine" / name).read_text(encoding="utf-8")
    digest = file_digest(PACKAGE / TABLES)
    assert f"{TABLES} is not stated" in problems(source.replace("COMPILED_WITH", "OTHER"), PACKAGE)
    old = source.replace(digest, "0" * len(digest))
    assert problems(old, PACKAGE) == [f"state {digest} for {TABLES}"]


def test_another_constant_is_another_digest(tmp_path):
    package = shutil.copytree(PACKAGE, tmp_path / "package", ignore=shutil.ignore_patterns("__pycache__"))
    tables = (PACKAGE / TABLES).read_text(encoding="utf-8")
    (package / TABLES).write_text(tables.replace("NOWHERE = -1", "NOWHERE = -2"), encoding="utf-8")
    steady = (PACKAGE / "engine" / "fast_steady.py").read_text(encoding="utf-8")
    assert problems(steady, package) == [f"state {file_digest(package / TABLES)} for {TABLES}"]


def test_nothing_is_compiled_in_another_way():
    """numba's own decorators would keep code that nobody checks."""
    assert [path.name for path in sorted(PACKAGE.rglob("*.py")) if imports_numba(path)] == ["compiled.py"]


def imports_numba(path: Path) -> bool:
    """Whether a file imports anything of numba."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return any(
        (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("numba"))
        or (isinstance(node, ast.Import) and any(alias.name.startswith("numba") for alias in node.names))
        for node in nodes
    )
