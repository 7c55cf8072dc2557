"""What the shell completes beyond names of commands and options."""

from __future__ import annotations

from pathlib import Path


def complete_accelerators(incomplete: str) -> list[str]:
    """Shipped names; once something is typed also YAML files and folders; behind a comma, the next of a list."""
    from mixarray.accelerator.load import list_accelerators

    before, comma, last = incomplete.rpartition(",")
    folder, slash, start = last.rpartition("/")
    names = [name for name in list_accelerators() if name.startswith(last)]
    inside = Path(folder + slash)
    paths = sorted(path for path in inside.iterdir() if path.name.startswith(start)) if last and inside.is_dir() else []
    files = [path.name for path in paths if path.suffix == ".yaml"]
    folders = [f"{path.name}/" for path in paths if path.is_dir()]
    return [f"{before}{comma}{one}" for one in (*names, *(f"{folder}{slash}{name}" for name in (*files, *folders)))]
