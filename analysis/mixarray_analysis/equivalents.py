"""The commands that do alone what a workflow does in one go; they are printed, and they work when typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from mixarray.trace.padding import Padding
from mixarray.trace.ratio import Promotion
from mixarray_analysis.plan import Layout, Plan, uniform_name
from mixarray_traces.quantization.ratios import Asked, RatioChoice, choice_of, pairs_text


def quantize(plan: Plan, layout: Layout, checkpoint: Path) -> str:
    """The quantized model of a run on a checkpoint; the shipped one is there already."""
    seed = ["--seed", plan.seed] if plan.seed else []
    return _line("quantize", "--checkpoint", checkpoint, *seed, "-o", layout.model)


def train(
    seed: int, images_112: int, images_224: int, learning_rate: float, *, bfloat16: bool, threads: int, resume: bool
) -> str:
    """A training run, its place written RUN: the command goes into the record of the weights."""
    words: list[object] = ["train", "-o", "RUN", *(["--resume"] if resume else []), "--seed", seed]
    words += ["--images-112", images_112, "--images-224", images_224, "--learning-rate", learning_rate]
    return _line(*words, *(["--bfloat16"] if bfloat16 else []), *(["--threads", threads] if threads else []))


def evaluate(plan: Plan) -> str:
    """The accuracy at every ratio."""
    choices = [choice_of(asked) for asked in plan.ratios]
    if any(choice.prunes for choice in choices):  # then ratio 0 comes along
        choices = [choice for choice in choices if choice != RatioChoice()]
    texts = [pairs_text(choice.compression) for choice in choices]
    each = any("/" in text for text in texts) or len({choice.pruning for choice in choices}) > 1
    ratios = (";" if each else ",").join(texts)
    wanted = "--ratios", ratios, *_beside(*choices), "--n", plan.canvases, "--size", plan.size
    return _line("evaluate", *wanted, *_model(plan))


def record(plan: Plan, layout: Layout, ratio: Asked) -> str:
    """The bundle of one ratio."""
    choice = choice_of(ratio)
    wanted = "--ratio", pairs_text(choice.compression), *_beside(choice), "--n", plan.recorded, "--size", plan.size
    return _line("record", *wanted, "--tensors", plan.tensors, *_model(plan), "-o", layout.bundle(ratio))


def simulate(plan: Plan, layout: Layout, names: Iterable[str]) -> list[str]:
    """Every simulation: each accelerator, each ratio, then the uniform precisions."""
    lines = []
    for source, name in zip(plan.accelerators, names, strict=True):
        for ratio in plan.ratios:
            bundle, out = layout.bundle(ratio), layout.run(name, ratio)
            lines.append(_line("simulate", bundle, "-a", source, *_machine(plan), "-o", out))
        for bits in plan.uniform:
            bundle, out = layout.bundle(plan.ratios[0]), layout.uniform(name, bits)
            wanted = ("--uniform", uniform_name(bits))
            lines.append(_line("simulate", bundle, *wanted, "-a", source, *_machine(plan), "-o", out))
    return lines


def plot(what: str, source: object, out: object, *more: object) -> str:
    """One picture."""
    return _line("plot", what, source, *more, "-o", out)


def _line(*words: object) -> str:
    return "mixarray " + shlex.join(str(word) for word in words)


def _beside(*choices: RatioChoice) -> list[str]:
    """What is asked beside the compression ratios: one pruning ratio where all agree, or one for each."""
    pruning = [pairs_text(choice.pruning) for choice in choices]
    shares = pruning[0] if len(set(pruning)) == 1 else ";".join(pruning)
    words = ["--pruning", shares] if any(choice.prunes for choice in choices) else []
    promotion = choices[-1].promotion
    return words + (["--promotion", promotion.value] if promotion is not Promotion.REFUSED else [])


def _model(plan: Plan) -> list[object]:
    words: list[object] = []
    if plan.model is not None:
        words += ["--model", plan.model]
    if plan.score is not None:
        words += ["--score", plan.score]
    if plan.padding is not Padding.ATTENTION:
        words += ["--padding", plan.padding.value]
    return words + (["--seed", plan.seed] if plan.seed else [])


def _machine(plan: Plan) -> list[str]:
    return [word for override in plan.overrides for word in ("--set", override)]
