"""From what was asked for to explanations, and their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixarray.accelerator.load import load_accelerator
from mixarray.atomic import ResultKind, atomic_directory
from mixarray.errors import InputError
from mixarray.trace.bundle import MANIFEST, read_bundle
from mixarray_analysis.explaining import Explanation, explain_run
from mixarray_analysis.files import refuse_existing
from mixarray_analysis.plan import check_names
from mixarray_analysis.progress import progress_bar
from mixarray_analysis.subjects import Subject, read_subject
from mixarray_analysis.tables import to_json
from mixarray_analysis.waterfall_tables import (
    ATTRIBUTION_COLUMNS,
    COLUMNS,
    attribution_rows,
    explanation_values,
    waterfall_rows,
)

PICTURE = "waterfall"
ATTRIBUTION = "attribution.csv"
AGAINST_BUNDLE = "--against-bundle"


@dataclass(frozen=True, slots=True)
class Request:
    """What to explain: a run, perhaps against another, or a bundle on accelerators (those of a run: none).

    moved, against_moved: the bundles of both runs, where they are not at their old places.
    """

    source: Path
    against: Path | None
    moved: Path | None
    against_moved: Path | None
    accelerators: tuple[str, ...]
    overrides: tuple[str, ...]
    image: int | None


def is_run(source: Path) -> bool:
    """Whether a directory is a run (else it should be a bundle)."""
    return (source / ResultKind.RUN.value).is_file()


def explain_source(request: Request, quiet: bool) -> list[Explanation]:
    """One explanation per accelerator; InputError where the source or an option does not fit."""
    subjects, against = _subjects(request)
    found = []
    for subject in subjects:
        with progress_bar(f"explaining {subject.accelerator.name}", quiet) as report:
            found.append(explain_run(subject, against, report=report))
    return found


def write_explanations(request: Request, out: Path, force: bool, quiet: bool) -> list[Explanation]:
    """The same, and its files in the directory `out`: waterfall.png, .pdf, .csv, attribution.csv and explain.json."""
    import pandas as pd

    from mixarray_analysis.plots.save import save_plot
    from mixarray_analysis.plots.waterfall import plot_waterfall

    refuse_existing(out, force)
    places = (request.source, request.against, request.moved, request.against_moved)
    reads = [path for path in places if path is not None]
    with atomic_directory(out, ResultKind.EXPLANATION, force, reads) as directory:
        found = explain_source(request, quiet)
        shown = pd.DataFrame(waterfall_rows(found), columns=list(COLUMNS))
        figure, _ = plot_waterfall(shown)
        save_plot(figure, shown, directory / PICTURE)
        owners = pd.DataFrame(attribution_rows(found), columns=list(ATTRIBUTION_COLUMNS))
        owners.to_csv(directory / ATTRIBUTION, index=False, lineterminator="\n")
        text = to_json(explanation_values(found)) + "\n"
        (directory / ResultKind.EXPLANATION.value).write_text(text, encoding="utf-8")
    return found


def _subjects(request: Request) -> tuple[list[Subject], Subject | None]:
    """What to explain, and against what (None: ratio 0)."""
    if is_run(request.source):
        return _run(request)
    if (request.source / MANIFEST).is_file():
        return _bundle(request), None
    message = f"is neither a run (no {ResultKind.RUN.value}) nor a bundle (no {MANIFEST})"
    raise InputError(str(request.source), message)


def _run(request: Request) -> tuple[list[Subject], Subject | None]:
    given = {"--accelerator": request.accelerators, "--set": request.overrides}
    idle = [option for option, value in given.items() if value] + ["--image"] * (request.image is not None)
    if idle:
        raise InputError(idle[0], "belongs to a bundle: a run has its accelerator and its images")
    if request.against is None and request.against_moved is not None:
        raise InputError(AGAINST_BUNDLE, "says where the bundle of --against is, and there is no --against")
    against = None if request.against is None else read_subject(request.against, request.against_moved, AGAINST_BUNDLE)
    return [read_subject(request.source, request.moved)], against


def _bundle(request: Request) -> list[Subject]:
    given = {"--against": request.against, "--bundle": request.moved, AGAINST_BUNDLE: request.against_moved}
    idle = [option for option, value in given.items() if value is not None]
    if idle:
        raise InputError(idle[0], "belongs to a run: a bundle is compared with ratio 0 on the same accelerator")
    bundle = read_bundle(request.source)
    machines = [load_accelerator(name, request.overrides) for name in request.accelerators]
    check_names(tuple(machine.name for machine in machines))
    return [Subject(request.source.name, bundle, machine, image=request.image) for machine in machines]
