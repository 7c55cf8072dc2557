"""What `mixarray allocate` is asked for, checked before any long work, and done."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from time import monotonic

from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.write import accelerator_sha256
from mixarray.errors import InputError
from mixarray_analysis.allocating.costs import Average
from mixarray_analysis.allocating.decisions import allocation_of
from mixarray_analysis.allocating.greedy import Reached
from mixarray_analysis.allocating.moves import Bits
from mixarray_analysis.allocating.path_picture import path_shown, plot_path
from mixarray_analysis.allocating.progress import CHECKPOINT, read_checkpoint, run_steps, write_checkpoint
from mixarray_analysis.allocating.results import RESULT, Found, LayerRow, StepRow, found_of
from mixarray_analysis.allocating.sentences import sentences
from mixarray_analysis.allocating.settings import Settings
from mixarray_analysis.allocating.subject import Subject, open_subject
from mixarray_analysis.files import write_text
from mixarray_analysis.models import load_checkpoint
from mixarray_analysis.plots.save import save_plot
from mixarray_analysis.progress import progress_bar
from mixarray_analysis.summary import write_rows
from mixarray_analysis.tables import to_json
from mixarray_traces.quantization.allocation import write_allocation
from mixarray_traces.quantization.identity import weights_sha256

CACHE = "allocation_losses.jsonl"
"""Beside the results unless another file is named, so that objectives and accelerators share it."""
ALLOCATION, STEPS, LAYERS, REPORT, PICTURE = "allocation.json", "steps.csv", "layers.csv", "report.txt", "path"


@dataclass(frozen=True, slots=True)
class Manner:
    """How an allocation is done, which changes nothing of what it finds.

    cache: file of the losses that allocations share, None for `CACHE` beside the result. force: whether another result
    in the directory is replaced. say: is told how far it is.
    """

    say: Callable[[str], None]
    cache: Path | None = None
    force: bool = False
    quiet: bool = False


def identities(checkpoint: Path | None, accelerator: str, overrides: tuple[str, ...]) -> tuple[str, str]:
    """SHA-256 of the float model and of the accelerator; InputError where one cannot be opened."""
    machine = load_accelerator(accelerator, overrides)
    return weights_sha256(load_checkpoint(checkpoint)), accelerator_sha256(machine)


def begin(settings: Settings, out: Path, manner: Manner) -> Found:
    """A new allocation into the directory `out`; InputError where it holds one already, unless it may be replaced."""
    held = [name for name in (RESULT, CHECKPOINT) if (out / name).exists()]
    if held and not manner.force:
        message = f"holds an allocation ({held[0]}); --resume goes on with it, --force replaces it"
        raise InputError(str(out), message, "--out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(str(out), f"cannot be written: {error.strerror}", "--out") from None
    return _go_on(settings, None, out, manner)


def resume(directory: Path, manner: Manner) -> Found:
    """Go on with the allocation in a directory, there."""
    settings, reached = read_checkpoint(directory / CHECKPOINT)
    return _go_on(settings, reached, directory, manner)


def _go_on(settings: Settings, before: Reached | None, out: Path, manner: Manner) -> Found:
    subject = open_subject(settings, out.parent / CACHE if manner.cache is None else manner.cache)
    problem = subject.problem(settings)
    reached = Reached(problem.start) if before is None else before
    goal = Goal(subject, settings)
    if before is None:
        (out / RESULT).unlink(missing_ok=True)
    write_checkpoint(out / CHECKPOINT, settings, reached)
    began, steps_before = monotonic(), len(reached.taken)

    def keep(now: Reached) -> None:
        write_checkpoint(out / CHECKPOINT, settings, now)
        each_s = (monotonic() - began) / (len(now.taken) - steps_before)
        manner.say(_progress_line(now, goal, each_s))

    reached = run_steps(problem, reached, goal.reached, keep)
    with progress_bar("simulating the path", manner.quiet) as report:
        found = found_of(subject, settings, reached, report)
    _write(found, subject, out)
    return found


@dataclass(frozen=True, slots=True)
class Goal:
    """When a greedy ends, besides having nothing left to lower."""

    subject: Subject
    settings: Settings

    def reached(self, bits: Bits) -> bool:
        """Whether the average width or the share of the cost is reached, whichever is asked for."""
        settings = self.settings
        average, budget = settings.average_thousandths, settings.budget_thousandths
        if average is not None and self.subject.counted.within(bits, average):
            return True
        if budget is None:
            return False
        cost, start = (self.subject.cost(settings.objective, one) for one in (bits, self.subject.start))
        return 1000 * cost <= budget * start

    def most_left(self, bits: Bits) -> int:
        """Bits that may still be given up: no more steps are left."""
        to_lowest = sum(max(width - self.settings.lowest, 0) for width in bits)
        average = self.settings.average_thousandths
        if average is None or self.settings.average is Average.ELEMENTS:
            return to_lowest
        return min(to_lowest, -(-(1000 * sum(bits) - average * len(bits)) // 1000))


def _progress_line(now: Reached, goal: Goal, each_s: float) -> str:
    """How far the greedy is; a step gives up one bit or more."""
    last, left = now.taken[-1], goal.most_left(now.bits)
    return (
        f"step {len(now.taken)}: loss {last.loss:.6g}, average {goal.subject.counted.average_bits(now.bits):.3f} bits; "
        f"at most {left} steps and {each_s * left / 60:.0f} min left"
    )


def _write(found: Found, subject: Subject, out: Path) -> None:
    """All files; the result last, since where it stands all others do."""
    write_allocation(allocation_of(subject.layers, found.bits), out / ALLOCATION)
    for name, kind, rows in ((STEPS, StepRow, found.steps), (LAYERS, LayerRow, found.layers)):
        text = io.StringIO(newline="")
        write_rows(text, [field.name for field in fields(kind)], [tuple(asdict(row).values()) for row in rows])
        write_text(out / name, text.getvalue(), force=True)
    write_text(out / REPORT, "\n".join(sentences(found)) + "\n", force=True)
    save_plot(plot_path(found), path_shown(found), out / PICTURE, force=True)
    write_text(out / RESULT, to_json(found.to_json()) + "\n", force=True)
