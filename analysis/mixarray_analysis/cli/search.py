"""`mixarray search`: ratios of every block pair by accuracy against what hardware really does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixarray.errors import InputError
from mixarray_analysis.cli.context import is_meant, refuse_with_resume
from mixarray_analysis.cli.examples import examples
from mixarray_analysis.cli.options import (
    FIRST_ACCELERATOR,
    AcceleratorOption,
    ForceOption,
    JobsOption,
    JsonOption,
    ModelOption,
    QuietOption,
    ScoreOption,
    SeedOption,
    SetOption,
    SizeOption,
)

if TYPE_CHECKING:
    from mixarray_analysis.search.results import Found

NAME = "search"
EPILOG = examples(
    "mixarray search --objective cycles -a packed_w4_32x32 -o runs/cycles_0",
    "mixarray search --resume runs/cycles_0",
    "mixarray search compare runs/bops_* runs/cycles_* -o runs/compared",
)
GenerationsOption = Annotated[int, typer.Option(min=1, help="Generations in all, those before --resume included.")]
EvaluationsOption = Annotated[
    int, typer.Option(min=1, help="Most distinct settings that are measured, known accuracies included.")
]
PopulationOption = Annotated[int, typer.Option(help="Settings per generation; even, from 4.")]
ObjectiveOption = Annotated[
    str | None, typer.Option(help="What is made small: bops, cycles, energy or edp.", show_default=False)
]
PruningOption = Annotated[bool, typer.Option("--pruning", help="Search pruning ratios too, 0 to 0.8 per pair.")]
CanvasesOption = Annotated[int, typer.Option("--n", help="Canvases that the search measures accuracy on.")]
FinalCanvasesOption = Annotated[
    int, typer.Option("--final-n", help="Other canvases that the front is measured on again.")
]
FinalSettingsOption = Annotated[
    int, typer.Option(help="Settings of the front measured again, at most: its ends, and evenly between.")
]
FinalSeedOption = Annotated[int, typer.Option(min=0, help="Stream of the other canvases; the search takes 0.")]
ResumeOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Go on with a stopped search, with its own settings.")
]
CacheOption = Annotated[
    Path | None,
    typer.Option(help="Accuracies that searches share.  [default: accuracy_cache.jsonl beside the result]"),
]
SearchOutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="Directory of the search; --resume: as before.")
]

app = typer.Typer(
    short_help="Search ratios: accuracy against what hardware does.",
    help="Search the ratios of all block pairs (NSGA-II): accuracy against BOPs, cycles, energy or EDP. Writes "
    "front.csv, search.json and a checkpoint after every generation. Ratios are tenths from 0 to 0.8.",
    epilog=EPILOG,
)


@app.callback(invoke_without_command=True)
def command(
    context: typer.Context,
    *,
    objective: ObjectiveOption = None,
    accelerator: AcceleratorOption = FIRST_ACCELERATOR,
    overrides: SetOption = None,
    model: ModelOption = None,
    pruning: PruningOption = False,
    seed: SeedOption = 0,
    population: PopulationOption = 20,
    generations: GenerationsOption = 20,
    evaluations: EvaluationsOption = 400,
    canvases: CanvasesOption = 64,
    final_canvases: FinalCanvasesOption = 500,
    final_settings: FinalSettingsOption = 16,
    final_seed: FinalSeedOption = 1,
    size: SizeOption = 448,
    score: ScoreOption = None,
    resume: ResumeOption = None,
    cache: CacheOption = None,
    jobs: JobsOption = 1,
    out: SearchOutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Begin a search, or go on with one."""
    if not is_meant(context, objective, resume, out):
        return
    from mixarray_analysis.announce import be_silent
    from mixarray_analysis.search.settings import Limits

    _need_pymoo()
    from mixarray_analysis.search.command import Manner, Request, begin
    from mixarray_analysis.search.command import resume as go_on
    from mixarray_analysis.search.results import found_values
    from mixarray_analysis.tables import to_json

    limits = Limits(generations, evaluations, final_canvases, final_seed, final_settings)
    manner = Manner(be_silent if quiet or as_json else _say_progress, cache, jobs, force, quiet)
    if resume is not None:
        _refuse_with_resume(context)
        found = go_on(resume, limits, out, manner)
    else:
        if objective is None:
            raise InputError("--objective", "is needed: bops, cycles, energy or edp")
        if out is None:
            raise InputError("--out", "is needed: the directory of the search")
        request = Request(
            objective,
            accelerator,
            tuple(overrides or ()),
            model,
            size=size,
            canvases=canvases,
            seed=seed,
            population=population,
            pruning=pruning,
            score=score,
        )
        found = begin(request, limits, out, manner)
    if as_json:
        typer.echo(to_json(found_values(found)))
    elif not quiet:
        _show(found)


@app.command("compare", epilog=examples("mixarray search compare runs/bops_* runs/cycles_* -o runs/compared"))
def compare(
    *,
    directories: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Finished searches: on BOPs, and others.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory of compare.csv and fronts.png, .pdf, .csv.")],
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Hold fronts searched on BOPs against those on hardware.

    Both simulated, seed by seed and in one picture.
    """
    _need_pymoo()
    from mixarray_analysis.say import say
    from mixarray_analysis.search.compare import compare_searches
    from mixarray_analysis.search.compare_files import comparison_values, panel_lines, write_comparison
    from mixarray_analysis.tables import to_json

    panels = compare_searches(directories)
    files = write_comparison(panels, out, force)
    if as_json:
        typer.echo(to_json(comparison_values(panels)))
    elif not quiet:
        for panel in panels:
            say("\n".join(panel_lines(panel)))
        for file in files:
            typer.echo(str(file))


@app.command("enumerate", epilog=examples("mixarray search enumerate -a packed_w4_32x32 -o runs/space"))
def enumerate_command(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory of space.csv and distances.json.")],
    accelerator: AcceleratorOption = FIRST_ACCELERATOR,
    overrides: SetOption = None,
    objective: Annotated[str, typer.Option(help="cycles, energy or edp.")] = "cycles",
    model: ModelOption = None,
    size: SizeOption = 448,
    population: PopulationOption = 20,
    generations: GenerationsOption = 20,
    evaluations: EvaluationsOption = 400,
    seeds: Annotated[int, typer.Option(min=1, help="Searches held against the true front, seeds from 0.")] = 5,
    jobs: JobsOption = 0,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find what every setting costs, and the true front.

    Says how far searches stay from it; bit operations stand for accuracy. A stopped run goes on from simulated.jsonl in
    its directory.
    """
    _need_pymoo()
    from mixarray_analysis.say import say
    from mixarray_analysis.search.enumerating import DISTANCES, Enumeration, enumerate_space
    from mixarray_analysis.search.hardware import Objective
    from mixarray_analysis.search.settings import Limits

    allowed = [known.value for known in Objective if known is not Objective.BOPS]
    if objective not in allowed:
        raise InputError("--objective", f"{objective!r} is not possible; allowed: {', '.join(allowed)}")
    limits = Limits(generations, evaluations)
    changed = tuple(overrides or ())
    wanted = Enumeration(
        accelerator, changed, model, size, Objective(objective), population, limits, seeds, jobs, quiet
    )
    answer = enumerate_space(wanted, out, force)
    if as_json:
        typer.echo((out / DISTANCES).read_text(encoding="utf-8").rstrip())
        return
    if quiet:
        return
    excess = f"{100 * answer.misled.mean:.2f} % more than the best that keeps as many, at most"
    how = f"sums of their stages, {answer.checked} checked" if answer.checked else "each one simulated"
    say(f"{answer.settings:,} settings from {answer.simulated:,} simulations ({how})")
    say("chosen by bit operations alone a setting takes on average")
    say(f"{excess} {100 * answer.misled.most:.2f} %")
    for one in answer.distances:
        share = f"hypervolume {one.hypervolume_ratio:.4f} of the true front's, IGD+ {one.igd_plus:.4f}"
        say(f"seed {one.seed}: {one.evaluations} settings searched, {share}")


def _say_progress(line: str) -> None:
    """On stderr, beside the result: a generation takes minutes, and nobody should wonder for hours."""
    from mixarray_analysis.printable import printable

    typer.echo(printable(line), err=True)


def _show(found: Found) -> None:
    """The front as a table."""
    from mixarray.digits import significant
    from mixarray_analysis.say import say
    from mixarray_analysis.tables import make_table, show

    zero = found.baseline
    cells = [
        [
            f"{row.compression}{' pruned ' + row.pruning if found.settings.pruning else ''}",
            f"{100 * row.low_actual:.1f}",
            f"{row.accuracy:.3f} [{row.accuracy_low:.3f}, {row.accuracy_high:.3f}]",
            f"{zero.bops / row.bops:.3f}",
            f"{zero.cycles / row.cycles:.3f}",
            significant(row.energy_uj),
        ]
        for row in found.front
    ]
    show(make_table(["ratios", "low %", "AP50 [95 %]", "BOPs x", "cycles x", "µJ"], cells))
    say(f"AP50 on {zero.n} canvases that the search did not see; ratio 0: {zero.accuracy:.3f}")
    say(f"{found.evaluations} settings in {found.generations} generations, stopped by {found.stopped.value}")


def _refuse_with_resume(context: typer.Context) -> None:
    """Raise InputError where a setting is typed that the stopped search decides itself."""
    fixed = (
        "objective",
        "accelerator",
        "overrides",
        "model",
        "pruning",
        "seed",
        "population",
        "canvases",
        "size",
        "score",
    )
    refuse_with_resume(context, fixed, "search")


def _need_pymoo() -> None:
    from importlib.util import find_spec

    if find_spec("pymoo") is None:
        raise InputError("pymoo", "searching needs it: pip install 'mixarray[search]'")
