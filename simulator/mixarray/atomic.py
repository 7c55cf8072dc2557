"""A result directory appears complete or not at all: written beside its final name, flushed, renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from mixarray.errors import InputError


class ResultKind(StrEnum):
    """What a result directory is, by the file that only its kind holds."""

    RUN = "run.json"
    BUNDLE = "windows.parquet"
    MODEL = "model.safetensors"
    SWEEP = "summary.csv"
    DEMO = "sentences.txt"
    SCALESIM = "scalesim.json"
    VALIDATION = "validation.json"
    EXPLANATION = "explain.json"


@contextmanager
def atomic_directory(
    path: Path | str, kind: ResultKind, force: bool = False, reads: Sequence[Path] = ()
) -> Iterator[Path]:
    """Yield an empty directory beside `path` that becomes `path` when the block ends without an exception.

    An existing `path` is refused with InputError unless `force`; even then only an empty directory, or an earlier
    result of the same kind that holds none of the inputs in `reads`, is replaced. Nothing is left behind when the
    block fails.
    """
    final = Path(path)
    check_replaceable(final, kind, force, reads)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{final.name}.", suffix=".partial", dir=final.parent))
    except OSError as error:
        raise InputError(str(final), f"cannot be written: {error.strerror}") from None
    try:
        work.chmod(0o777 & ~_umask())
        yield work
        _flush(work)
        check_replaceable(final, kind, force, reads)
        _rename_over(work, final)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a file beside `path` that becomes `path`, replacing it, when the block ends without an exception."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    os.close(descriptor)
    work = Path(name)
    try:
        work.chmod(0o666 & ~_umask())
        yield work
        _sync(work)
        work.rename(path)
    finally:
        work.unlink(missing_ok=True)
    _sync(path.parent)


def check_replaceable(path: Path, kind: ResultKind, force: bool, reads: Sequence[Path] = ()) -> None:
    """Raise InputError unless `path` is free or, with `force`, empty or a result of this kind without our inputs."""
    if not (path.exists() or path.is_symlink()):
        return
    if not force:
        raise InputError(str(path), "already exists; use --force to replace it")
    if path.is_symlink() or not path.is_dir():
        raise InputError(str(path), "is no directory, so --force does not replace it")
    names = {entry.name for entry in path.iterdir()}
    if names and kind.value not in names:
        raise InputError(str(path), f"exists and is no earlier result of this kind (no {kind.value}): not replaced")
    place = path.resolve()
    for source in reads:
        if place in (source.resolve(), *source.resolve().parents):
            raise InputError(str(path), f"holds {source}, which is read: not replaced; choose another --out")


def _rename_over(work: Path, final: Path) -> None:
    """Rename `work` to `final`; what was there is moved aside first and deleted last, so one of the two is whole."""
    if final.exists():
        aside = Path(tempfile.mkdtemp(prefix=f".{final.name}.", suffix=".old", dir=final.parent))
        final.rename(aside / final.name)
        try:
            work.rename(final)
        except OSError:
            (aside / final.name).rename(final)
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    else:
        work.rename(final)
    _sync(final.parent)


def _flush(directory: Path) -> None:
    for folder, _, names in os.walk(directory, topdown=False):
        for name in names:
            _sync(Path(folder) / name)
        _sync(Path(folder))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    """The process's file mode mask; reading it means setting it for a moment."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
