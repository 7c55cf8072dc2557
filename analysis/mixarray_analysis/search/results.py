"""The files of a finished search: `front.csv`, `search.json` and the accelerator it ran on."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.write import resolved_yaml
from mixarray.errors import InputError
from mixarray.provenance import git_revision, package_versions
from mixarray_analysis.files import write_text
from mixarray_analysis.search.front import Trade
from mixarray_analysis.search.hardware import Cost, Objective
from mixarray_analysis.search.settings import Limits, Settings, Stopped
from mixarray_analysis.search.space import Genes
from mixarray_analysis.summary import write_rows

FRONT = "front.csv"
SEARCH = "search.json"
ACCELERATOR = "accelerator.yaml"
SCHEMA = "mixarray search 1"


@dataclass(frozen=True, slots=True)
class FrontRow:
    """One setting of a front, per image at batch 1.

    genes: tenths, separated by blanks (`space.Genes`). compression, pruning: the ratios as they are typed; low_actual,
    pruned_actual: shares of windows that they come to. search_accuracy: AP50 on the search's canvases, by which the
    setting was chosen. accuracy, accuracy_low, accuracy_high: AP50 and its 95 % bootstrap interval on n other canvases.
    bops: bit operations per weight bit of the blocks. cycles and what follows: the whole network, simulated.
    """

    genes: str
    compression: str
    pruning: str
    low_actual: float
    pruned_actual: float
    search_accuracy: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    n: int
    bops: int
    cycles: int
    latency_ms: float
    energy_uj: float
    edp_uj_ms: float

    @property
    def setting(self) -> Genes:
        """The genes as numbers."""
        return tuple(int(gene) for gene in self.genes.split())

    @property
    def cost(self) -> Cost:
        """What the row costs."""
        return Cost(self.bops, self.cycles, self.latency_ms, self.energy_uj)


@dataclass(frozen=True, slots=True)
class Found:
    """A finished search: its front by rising cost, and ratio 0 measured in the same way.

    evaluations: distinct settings that were measured. hypervolume: of the front on the search's canvases;
    hypervolume_final: on the other ones. Cost is relative to ratio 0; bounded by cost 1 and AP50 0.
    """

    settings: Settings
    limits: Limits
    stopped: Stopped
    generations: int
    evaluations: int
    front: tuple[FrontRow, ...]
    baseline: FrontRow
    hypervolume: float
    hypervolume_final: float


def relative(row: FrontRow, baseline: FrontRow, objective: Objective) -> Trade:
    """A row's cost over ratio 0's, and its accuracy on the other canvases."""
    return Trade(row.cost.of(objective) / baseline.cost.of(objective), row.accuracy)


def found_values(found: Found) -> dict[str, object]:
    """A search as plain JSON values, its front included."""
    return asdict(found) | {"settings": found.settings.to_json(), "stopped": found.stopped.value}


def write_found(directory: Path, found: Found, accelerator: Accelerator) -> None:
    """Write the files, `search.json` last and an older one removed first: where it is, the search is complete."""
    (directory / SEARCH).unlink(missing_ok=True)
    text = io.StringIO(newline="")
    write_rows(text, COLUMNS, [list(asdict(row).values()) for row in found.front])
    write_text(directory / FRONT, text.getvalue(), force=True)
    write_text(directory / ACCELERATOR, resolved_yaml(accelerator), force=True)
    described = {
        "schema": SCHEMA,
        "settings": found.settings.to_json(),
        "limits": asdict(found.limits),
        "stopped": found.stopped.value,
        "generations": found.generations,
        "evaluations": found.evaluations,
        "baseline": asdict(found.baseline),
        "hypervolume": found.hypervolume,
        "hypervolume_final": found.hypervolume_final,
        "git_revision": git_revision(),
        "versions": dict(package_versions(("pymoo", "torch"))),
    }
    write_text(directory / SEARCH, json.dumps(described, indent=2, allow_nan=False) + "\n", force=True)


def read_found(directory: Path) -> Found:
    """What `write_found` wrote; InputError where the search is not finished or a file is broken."""
    where = directory / SEARCH
    try:
        saved = json.loads(where.read_text(encoding="utf-8"))
        if saved["schema"] != SCHEMA:
            raise ValueError(f"its schema is {saved['schema']!r}, not {SCHEMA!r}")
        front = _read_front(directory / FRONT)
        return Found(
            Settings.from_json(saved["settings"]),
            Limits(**saved["limits"]),
            Stopped(saved["stopped"]),
            int(saved["generations"]),
            int(saved["evaluations"]),
            front,
            FrontRow(**saved["baseline"]),
            float(saved["hypervolume"]),
            float(saved["hypervolume_final"]),
        )
    except OSError as error:
        message = f"cannot be read, so {directory} is no finished search: {error.strerror}"
        raise InputError(str(error.filename or where), message) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(str(directory), f"is no result of a search: {error}") from None


COLUMNS = tuple(field.name for field in fields(FrontRow))
WORDS = ("genes", "compression", "pruning")
COUNTS = ("n", "bops", "cycles")


def _read_front(path: Path) -> tuple[FrontRow, ...]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path.name} has the columns {', '.join(reader.fieldnames or ())}")
        return tuple(FrontRow(**{name: _cell(name, text) for name, text in row.items()}) for row in reader)


def _cell(name: str, text: str) -> Any:
    return text if name in WORDS else int(text) if name in COUNTS else float(text)
