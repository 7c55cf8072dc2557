"""Every command behind the page, in the order in which they can run.

A word of a command may name a place: `{work}` for models and bundles, `{results}` for the small files that the page is
made from; and a number: `{n}` canvases, `{images}` of one training, `{batch}` of a step. What is measured is chosen
here and nowhere else.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MIXARRAY = "mixarray_analysis"
"""The module behind the command `mixarray`."""
TIMES = "times.csv"
"""In `{results}`: a line `run,seconds` for every command that ran from its start to its end; the last one counts."""
SEEDS = (0, 1, 2)
COMPRESSIONS = (0, 250, 312, 375, 400, 500, 562, 625, 750, 800)
"""Thousandths. At 448 px blocks have 256, 64 or 16 windows, so sixteenths are whole: 125, 187, 250, ... are sixteenths,
rounded down, and what is pruned by half of a compression costs exactly as much. 400 is the first that reaches the 1.25x
claimed after training, 500 and 562 lie around the 1.35x claimed at PTQ, 312 is the published 3.36 bits."""
ALL_LOW = 1000
PRUNINGS = (125, 187, 250, 312, 375, 437)
"""Half of 250, 375, 500, 625 and 750: equal costs. 375 and 437 cost what BOTH cost."""
BOTH = ((500, 125), (500, 187))
"""(compression, pruning) at the relative costs 0.625 and 0.5625: near the published 1.53x and 1.82x."""
REVERSED = ((375, 0), (750, 0), (0, 187), (0, 375))
"""Compression and pruning at equal costs, ranked the wrong way round."""
PROMOTED = (375, 750)
FEWER_BITS = (7, 6, 5)
FEWER_TRAINED, FEWER_CONTROL, FEWER_TRAINED_BITS = "uniform_a3_s0", "control_a3_s0", 3
"""The published W4A3: uniform QAT at three quarters of the cost of W4A4, and as much training as SAQA; one seed."""
ADAPTED = "saa_s0"
"""The model that SparseViT's own training adapted to pruning, with as much training as SAQA; one seed."""
JOINT = "joint_s0"
"""SAQA with pruned windows besides: what both together are shown on; one seed."""
SQNR_RATIO, SQNR_CANVASES = 400, 32
PAPERS_SCORE = "sparsevit"
"""The importance score of MixA-Q's code; all other runs rank by our default, which is another one."""
EXPLAINED = 500
"""The compression whose promised speedup is followed step by step."""
PTQ_MODELS = ("shipped", "repq_vit")
PTQ_MACHINES = ("packed_w4_32x32", "decoupled_int8_int4")
QAT_MACHINES = ("packed_w4_32x32", "bricks16_16x32")
COSTED = {"shipped": PTQ_MACHINES, "repq_vit": PTQ_MACHINES, "ofq_start": QAT_MACHINES}
"""Models whose settings are simulated, and on what; `ofq_start` stands for all trained ones, which have its shapes."""
FEWER_START = f"ofq_start_a{FEWER_TRAINED_BITS}"
"""What `ofq_start` is for trained models stands here for those at fewer bits."""
FEWER_COSTED = {f"{model}_a{bits}": PTQ_MACHINES for model in PTQ_MODELS for bits in FEWER_BITS} | {
    FEWER_START: QAT_MACHINES
}
"""Models at fewer bits everywhere, and on what ratio 0 of them is simulated."""
SEARCH_MACHINES = ("packed_w4_32x32", "decoupled_int8_int4")
SEARCHES = {f"bops_s{seed}": ("bops", SEARCH_MACHINES[0], seed) for seed in SEEDS} | {
    f"cycles_{machine}_s{seed}": ("cycles", machine, seed) for machine in SEARCH_MACHINES for seed in SEEDS
}
"""Objective, accelerator and seed of every search, by its name."""
SEARCH_BUDGET = ("--population", "16", "--generations", "9", "--evaluations", "144")
"""About a third of what a search may measure by default: nine searches are made, on two cores."""
NEAREST_SEEDS = 5
"""Searches with known costs that are held against the true front; they measure nothing, so they take no time."""


@dataclass(frozen=True, slots=True)
class Run:
    """One command of `mixarray`, or of another module of the project.

    name: unique; it names the result too. words: behind `mixarray`. makes: the file that is there when the command is
    complete. keeps: (file, name beside `{results}`) of what is copied where it is not made there, in this order; of
    JSON only the entry `part`, if given. needs: names of runs before it. n: whether the number of canvases is `{n}`,
    so that a result on fewer is made again. module: what `python -m` runs.
    """

    name: str
    words: tuple[str, ...]
    makes: str
    keeps: tuple[tuple[str, str], ...] = ()
    part: str = ""
    needs: tuple[str, ...] = ()
    n: bool = False
    module: str = MIXARRAY


@dataclass(frozen=True, slots=True)
class Places:
    """What stands for the names in a command; `images` and `batch` are those of a training, 0 where there is none."""

    work: Path
    results: Path
    n: int
    images: int = 0
    batch: int = 0

    def fill(self, text: str) -> str:
        """The text with places and numbers."""
        return text.format(work=self.work, results=self.results, n=self.n, images=self.images, batch=self.batch)


def command_line(run: Run, places: Places) -> str:
    """The command as it is typed."""
    program = ["mixarray"] if run.module == MIXARRAY else ["python", "-m", run.module]
    return shlex.join([*program, *map(places.fill, run.words)])


def every_run() -> tuple[Run, ...]:
    """All of them; a run stands behind those that it needs."""
    return (*_post_training(), *_training(), *_trained(), *_costs(), *_searches(), *_spaces())


def _post_training() -> Iterator[Run]:
    yield _quantize("repq_vit", "repq_vit", 8, 4)
    for model, method in zip(PTQ_MODELS, ("uniform_affine", "repq_vit"), strict=True):
        every = [(q, 0) for q in (*COMPRESSIONS, ALL_LOW)] + [(0, p) for p in PRUNINGS] + [*BOTH]
        yield _evaluate(model, "ratios", every)
        yield _evaluate(model, "reversed", REVERSED, "--score", "reversed")
        yield _evaluate(model, "promotion", [(q, 0) for q in PROMOTED], "--promotion", "ranking")
        yield _rank(model, "rankings", "true,random,oracle,reversed")
        yield _rank(model, "papers_score", "true,reversed", "--score", PAPERS_SCORE)
        for bits in FEWER_BITS:
            name = f"{model}_a{bits}"
            yield _quantize(name, method, bits, 4)
            yield _evaluate(name, "ratios", [(0, 0)])


def _training() -> Iterator[Run]:
    for seed in SEEDS:
        yield _train(f"uniform_s{seed}", "uniform", seed)
    for stage in ("control", "saqa"):
        for seed in SEEDS:
            yield _train(f"{stage}_s{seed}", stage, seed, f"uniform_s{seed}")
    yield _train(FEWER_TRAINED, "uniform", 0, "", "--high-bits", str(FEWER_TRAINED_BITS))
    yield _train(FEWER_CONTROL, "control", 0, FEWER_TRAINED)
    yield _train(ADAPTED, "saa", 0, "uniform_s0")
    yield _train(JOINT, "joint", 0, "uniform_s0")
    yield _train("saqa_fp_s0", "saqa", 0)
    yield _train("annealing_s0", "annealing", 0, "saqa_s0")


def _trained() -> Iterator[Run]:
    mixed = [(q, 0) for q in COMPRESSIONS]
    for seed in SEEDS:
        yield _evaluate(f"uniform_s{seed}", "ratios", [(0, 0)])
        yield _evaluate(f"control_s{seed}", "ratios", [(0, 0)])
        yield _evaluate(f"saqa_s{seed}", "ratios", [*mixed, *((0, p) for p in PRUNINGS), *BOTH])
    yield _evaluate(FEWER_TRAINED, "ratios", [(0, 0)])
    yield _evaluate(FEWER_CONTROL, "ratios", [(0, 0)])
    yield _evaluate(ADAPTED, "ratios", [(0, 0), *((0, p) for p in PRUNINGS)])
    yield _evaluate(JOINT, "ratios", [(0, 0), *((0, p) for p in PRUNINGS), *BOTH])
    yield _evaluate("saqa_fp_s0", "ratios", mixed)
    yield _evaluate("annealing_s0", "ratios", mixed)
    for model in (f"{stage}_s{seed}" for stage in ("uniform", "saqa") for seed in SEEDS):
        out = f"{{results}}/{model}/sqnr.csv"
        wanted = "--ratio", _share(SQNR_RATIO), "--n", str(SQNR_CANVASES), "-o", out
        yield Run(f"{model}/sqnr", ("study", "sqnr", *_model(model), *wanted), out, needs=(model,))


def _costs() -> Iterator[Run]:
    yield _quantize("ofq_start", "ofq", 4, 2)
    yield _quantize(FEWER_START, "ofq", FEWER_TRAINED_BITS, 2)
    settings = [*((q, 0) for q in (*COMPRESSIONS, ALL_LOW)), *((0, p) for p in PRUNINGS), *BOTH]
    for model, machines in FEWER_COSTED.items():
        yield _simulate(model, [(0, 0)], machines)
    for model, machines in COSTED.items():
        yield _simulate(model, settings, machines)
        simulated_on = "-a", ",".join(machines)
        bundle, why = f"{_costs_of(model)}/bundles/ratio_{EXPLAINED:04d}", f"{{work}}/why_{model}"
        steps = f"{why}/waterfall.csv"
        kept, needs = ((steps, f"results/{model}/waterfall.csv"),), (f"{model}/costs",)
        yield Run(f"{model}/waterfall", ("explain", bundle, *simulated_on, "-o", why), steps, kept, needs=needs)


def _simulate(model: str, settings: Sequence[tuple[int, int]], machines: Sequence[str]) -> Run:
    out, simulated_on = _costs_of(model), ("-a", ",".join(machines))
    words = "sweep", *_model(model), *_settings(settings), "--n", "0", "--recorded", "1", *simulated_on, "-o", out
    made, needs = f"{out}/summary.csv", () if model == "shipped" else (model,)
    return Run(f"{model}/costs", words, made, ((made, f"results/{model}/costs.csv"),), needs=needs)


def _costs_of(model: str) -> str:
    return f"{{work}}/costs_{model}"


def _searches() -> Iterator[Run]:
    for name, (objective, machine, seed) in SEARCHES.items():
        out, copy = f"{{work}}/search/{name}", f"search/{name}"
        wanted = "search", "--objective", objective, "-a", machine, "--seed", str(seed), *SEARCH_BUDGET, "-o", out
        keeps = tuple((f"{out}/{file}", f"results/{copy}/{file}") for file in ("front.csv", "search.json"))
        yield Run(name, wanted, f"{{results}}/{copy}/search.json", keeps)
    finished = tuple(f"{{results}}/search/{name}" for name in SEARCHES)
    compared = "{work}/search/compared"
    words = "search", "compare", *finished, "-o", compared
    table, picture = f"{compared}/compare.csv", f"{compared}/fronts.png"
    shown = f"{compared}/fronts.csv"
    kept = (table, "results/search/compare.csv"), (shown, "results/search/fronts.csv"), (picture, "fronts.png")
    yield Run("search/compare", words, table, kept, needs=tuple(SEARCHES))


def _spaces() -> Iterator[Run]:
    """How close searches of this budget come to a true front that is known."""
    for machine in SEARCH_MACHINES:
        out = f"{{work}}/space_{machine}"
        words = "search", "enumerate", "-a", machine, *SEARCH_BUDGET, "--seeds", str(NEAREST_SEEDS), "-o", out
        made = f"{out}/distances.json"
        yield Run(f"space_{machine}", words, made, ((made, f"results/search/space_{machine}.json"),))


def _quantize(name: str, method: str, high_bits: int, low_bits: int) -> Run:
    words = "quantize", "--method", method, "--high-bits", str(high_bits), "--low-bits", str(low_bits)
    return Run(name, (*words, "-o", f"{{work}}/{name}"), f"{{work}}/{name}/manifest.json")


def _train(name: str, stage: str, seed: int, start: str = "", *more: str) -> Run:
    begins = ("--model", f"{{work}}/{start}/model") if start else ()
    budget = "--images", "{images}", "--batch", "{batch}", "--threads", "1"
    words = "qat", stage, *begins, *more, "--seed", str(seed), *budget, "-o", f"{{work}}/{name}"
    needs = (start,) if start else ()
    made = f"{{work}}/{name}/model/manifest.json"
    return Run(name, words, made, ((made, f"results/{name}/training.json"),), "training", needs)


def _evaluate(model: str, what: str, settings: Sequence[tuple[int, int]], *more: str) -> Run:
    out = f"{{results}}/{model}/{what}"
    files = "--resamples", f"{out}.resamples.csv", "-o", f"{out}.csv"
    words = "evaluate", *_model(model), *_settings(settings), *more, "--n", "{n}", *files
    return Run(f"{model}/{what}", words, f"{out}.csv", needs=() if model == "shipped" else (model,), n=True)


def _rank(model: str, what: str, rankings: str, *more: str) -> Run:
    out, shares = f"{{results}}/{model}/{what}.csv", ";".join(map(_share, PROMOTED))
    words = "study", "rankings", *_model(model), "--ratios", shares, "--rankings", rankings, *more, "--n", "{n}"
    needs = () if model == "shipped" else (model,)
    return Run(f"{model}/{what}", (*words, "-o", out), out, needs=needs, n=True)


def _model(name: str) -> tuple[str, ...]:
    if name == "shipped":
        return ()
    return "--model", f"{{work}}/{name}" + ("/model" if is_trained(name) else "")


def is_trained(model: str) -> bool:
    """Whether `mixarray qat` makes the model of this name."""
    return model.startswith(("uniform_", "control_", "saqa_", "saa_", "joint_", "annealing_"))


def _settings(settings: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    low, pruned = (";".join(map(_share, column)) for column in zip(*settings, strict=True))
    return ("--ratios", low, "--pruning", pruned) if any(p for _, p in settings) else ("--ratios", low)


def _share(thousandths: int) -> str:
    return f"{thousandths / 1000:g}"
