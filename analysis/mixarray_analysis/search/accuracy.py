"""Task accuracy of settings, measured once for all searches.

It depends on the model, on the canvases and on how many windows of every block run low or are pruned, and on nothing
that a search optimises: not on the objective, the accelerator or the search's seed. So all searches share one file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

from mixarray_analysis.search.hardware import Groups
from mixarray_analysis.search.store import Key, Store, Value
from mixarray_traces.data import GENERATOR_VERSION, Split
from mixarray_traces.detection.average_precision import CanvasRecord, average_precision, bootstrap_interval
from mixarray_traces.evaluation import Collected, Planner, collect
from mixarray_traces.importance.context import ImageFacts
from mixarray_traces.quantization import QuantizedDetector
from mixarray_traces.quantization.network import Plan
from mixarray_traces.quantization.ratios import Ratios

AT_ONCE = 2000
"""Canvases times settings measured before anything is kept: some minutes, lost at most when a search is killed.

Settings measured together share blocks (`run_plans`), in the shipped model almost half of the work.
"""
SPLIT = Split.TEST
"""The only split that is shipped. A search and its final measurement take different streams of canvases from it."""
Report = Callable[[int, int], None]
"""Called with (done, all): canvases times settings that were not known."""
Summary = Callable[[Sequence[CanvasRecord]], Value]


@dataclass(frozen=True, slots=True)
class Canvases:
    """The first n canvases of stream `seed` of the test split, `size` px a side."""

    n: int
    size: int
    seed: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """AP50, 0 to 1, and its 95 % bootstrap interval over n canvases."""

    ap50: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures settings of one model; what `store` knows is not measured again.

    model_sha256: `quantized_sha256` of the model. score: importance score that ranks windows. groups: what ratios come
    to.
    """

    model: QuantizedDetector
    model_sha256: str
    score: str
    groups: Callable[[Ratios], Groups]
    store: Store

    def measure(self, settings: Sequence[Ratios], canvases: Canvases, report: Report) -> list[float]:
        """AP50 of settings, in their order; those of equal group sizes are measured once."""
        values = self._values(settings, canvases, _ap50, report)
        return [float(value["ap50"]) for value in values]

    def measure_with_intervals(self, settings: Sequence[Ratios], canvases: Canvases, report: Report) -> list[Accuracy]:
        """The same with bootstrap intervals, which take as long as running a few canvases."""
        values = self._values(settings, canvases, _with_interval, report)
        return [Accuracy(float(one["ap50"]), float(one["low"]), float(one["high"]), canvases.n) for one in values]

    def _values(self, settings: Sequence[Ratios], canvases: Canvases, summary: Summary, report: Report) -> list[Value]:
        keys = [self._key(ratios, canvases, summary) for ratios in settings]
        missing: dict[Groups, tuple[Key, Ratios]] = {}
        for key, ratios in zip(keys, settings, strict=True):
            if self.store.get(key) is None:
                missing.setdefault(self.groups(ratios), (key, ratios))
        left, total = list(missing.values()), len(missing) * canvases.n
        together = max(1, AT_ONCE // canvases.n)
        for start in range(0, len(left), together):
            part = left[start : start + together]
            found = self._run([ratios for _, ratios in part], canvases, _moved(report, start * canvases.n, total))
            for (key, _), one in zip(part, found, strict=True):
                self.store.put(key, summary(one.records))
        return [self._read(key) for key in keys]

    def _run(self, settings: Sequence[Ratios], canvases: Canvases, report: Report) -> list[Collected]:
        planners = [self._planner(ratios) for ratios in settings]
        return collect(self.model, planners, canvases.n, canvases.size, SPLIT, canvases.seed, progress=report)

    def _planner(self, ratios: Ratios) -> Planner:
        def plan(facts: tuple[ImageFacts, ...]) -> Plan:
            return self.model.plan(ratios, facts, self.score)

        return plan

    def _read(self, key: Key) -> Value:
        value = self.store.get(key)
        if value is None:
            raise ValueError("a setting was measured and not kept")
        return value

    def _key(self, ratios: Ratios, canvases: Canvases, summary: Summary) -> Key:
        """All that an accuracy depends on; PyTorch's version among it, since its rounding may change."""
        return {
            "interval": summary is _with_interval,
            "model": self.model_sha256,
            "score": self.score,
            "canvases": asdict(canvases) | {"split": SPLIT.name.lower(), "generator": GENERATOR_VERSION},
            "torch": version("torch"),
            "groups": [list(sizes) for sizes in self.groups(ratios)],
        }


def _ap50(records: Sequence[CanvasRecord]) -> Value:
    return {"ap50": average_precision(records).ap50}


def _with_interval(records: Sequence[CanvasRecord]) -> Value:
    interval = bootstrap_interval(records)
    return {"ap50": interval.value, "low": interval.low, "high": interval.high}


def _moved(report: Report, before: int, total: int) -> Report:
    return lambda done, _: report(before + done, total)
