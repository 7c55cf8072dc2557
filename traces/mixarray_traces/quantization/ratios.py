"""Which share of windows runs low and which is pruned, per stage and block pair. No torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from mixarray.errors import InputError
from mixarray.trace.ratio import WHOLE, Promotion, check_compression, check_pruning, group_sizes

Pairs = tuple[tuple[int, ...], ...]
"""Thousandths by stage, then block pair."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """A compression and a pruning ratio, in thousandths, for every block pair: `[stage][block // 2]`.

    Both blocks of a pair share theirs. Of a block's n windows the least important n_pruned keep their input, the next
    n_low run low, the others high: n_kept = n * (1000 - p) // 1000, n_high = n * (1000 - p - q) // 1000 (MixA-Q's
    pruning; SparseViT's floor in whole thousandths). An empty `pruning` prunes nothing.

    Unless `promotion` allows it, no window runs better in a later block of its stage: within a stage neither the
    pruning ratio nor the sum of both may fall. (The compression ratio alone may: low windows become pruned ones.)
    """

    compression: Pairs
    pruning: Pairs = ()
    promotion: Promotion = Promotion.REFUSED

    def __post_init__(self) -> None:
        if not self.pruning:
            object.__setattr__(self, "pruning", tuple((0,) * len(stage) for stage in self.compression))
        if _shape(self.pruning) != _shape(self.compression):
            message = f"{_shape(self.pruning)} pruning ratios per stage, {_shape(self.compression)} compression ratios"
            raise InputError("ratios", message)
        for stage, (low, pruned) in enumerate(zip(self.compression, self.pruning, strict=True)):
            self._check_stage(stage, low, pruned)

    def _check_stage(self, stage: int, low: tuple[int, ...], pruned: tuple[int, ...]) -> None:
        for pair, (q, p) in enumerate(zip(low, pruned, strict=True)):
            check_compression(q, f"ratio of stage {stage} pair {pair}")
            check_pruning(p, q, f"pruning ratio of stage {stage} pair {pair}")
        if self.promotion is Promotion.REFUSED:
            _refuse_falling("pruning ratios", stage, pruned)
            name = "pruning and compression together" if any(pruned) else "ratios"
            _refuse_falling(name, stage, tuple(q + p for q, p in zip(low, pruned, strict=True)))

    @classmethod
    def uniform(cls, thousandths: int, depths: tuple[int, ...], pruning: int = 0) -> Ratios:
        """The same ratios for every pair of a network with `depths` blocks per stage."""
        return cls(_everywhere(thousandths, depths), _everywhere(pruning, depths))

    def check_depths(self, depths: tuple[int, ...]) -> None:
        """Raise InputError unless there is one ratio per block pair of a network with `depths` blocks per stage."""
        _spread(self.compression, depths)

    def sizes(self, stage: int, block: int, windows: int) -> tuple[int, int, int]:
        """How many of a block's windows are (high, low, pruned)."""
        return group_sizes(windows, self.compression[stage][block // 2], self.pruning[stage][block // 2])

    @property
    def all_high(self) -> bool:
        """Whether no window runs low or is pruned."""
        return not any(ratio for pairs in (self.compression, self.pruning) for stage in pairs for ratio in stage)

    @property
    def nominal(self) -> int:
        """The compression ratio of all pairs if they agree, else their mean rounded to thousandths."""
        return mean_ratio(self.compression)

    @property
    def nominal_pruning(self) -> int:
        """The pruning ratio of all pairs if they agree, else their mean rounded to thousandths."""
        return mean_ratio(self.pruning)


@dataclass(frozen=True, slots=True)
class RatioChoice:
    """Ratios as asked for, before a model says how many block pairs there are: one for all pairs, or one for each."""

    compression: int | Pairs = 0
    pruning: int | Pairs = 0
    promotion: Promotion = Promotion.REFUSED

    def at(self, depths: tuple[int, ...]) -> Ratios:
        """The ratios of a network with `depths` blocks per stage; InputError where they do not fit it."""
        return Ratios(_spread(self.compression, depths), _spread(self.pruning, depths), self.promotion)

    @property
    def label(self) -> str:
        """The ratios as they are typed: `0.4`, `0.2,0.4/0.6`; behind them what is pruned and promoted, if anything."""
        pruned = f" pruning {pairs_text(self.pruning)}" if self.prunes else ""
        promoted = "" if self.promotion is Promotion.REFUSED else f" promotion {self.promotion.value}"
        return pairs_text(self.compression) + pruned + promoted

    @property
    def stem(self) -> str:
        """A name for files: `ratio_0400`, `ratio_0200.0400-0600_pruning_0100`."""
        pruned = f"_pruning_{_stem(self.pruning)}" if self.prunes else ""
        promoted = "" if self.promotion is Promotion.REFUSED else f"_promotion_{self.promotion.value}"
        return f"ratio_{_stem(self.compression)}{pruned}{promoted}"

    @property
    def nominal(self) -> int:
        """The compression ratio, or the mean of the pairs', in thousandths."""
        return self.compression if isinstance(self.compression, int) else mean_ratio(self.compression)

    @property
    def nominal_pruning(self) -> int:
        """The pruning ratio, or the mean of the pairs', in thousandths."""
        return self.pruning if isinstance(self.pruning, int) else mean_ratio(self.pruning)

    @property
    def prunes(self) -> bool:
        """Whether any block pair has a pruning ratio above 0."""
        every = (self.pruning,) if isinstance(self.pruning, int) else (p for stage in self.pruning for p in stage)
        return any(every)

    @property
    def order(self) -> tuple[int, int, str]:
        """By what to sort choices: rising ratios, pruning first."""
        return self.nominal_pruning, self.nominal, self.stem

    @classmethod
    def of_stem(cls, stem: str) -> RatioChoice:
        """The choice whose `stem` this is; ValueError for any other text."""
        found = re.fullmatch(r"ratio_([\d.-]+?)(?:_pruning_([\d.-]+?))?(?:_promotion_(\w+))?", stem)
        if found is None:
            raise ValueError(f"{stem!r} does not name ratios")
        promotion = Promotion.REFUSED if found[3] is None else Promotion(found[3])
        return cls(_read_stem(found[1]), 0 if found[2] is None else _read_stem(found[2]), promotion)


Asked = int | RatioChoice
"""Ratios before a model is known; an integer is a compression ratio for every block pair, with nothing pruned."""
AnyRatios = Asked | Ratios
"""Ratios of a model, or such as its depths make them."""


def ratios_at(asked: AnyRatios, depths: tuple[int, ...]) -> Ratios:
    """The ratios of a network with `depths` blocks per stage; InputError where they do not fit it."""
    if isinstance(asked, Ratios):
        asked.check_depths(depths)
        return asked
    return choice_of(asked).at(depths)


def choice_of(asked: Asked) -> RatioChoice:
    """A choice; an integer stands for the same compression ratio everywhere."""
    return RatioChoice(asked) if isinstance(asked, int) else asked


def mean_ratio(pairs: Pairs) -> int:
    """The mean over block pairs, rounded to thousandths; exact where they agree."""
    every = [ratio for stage in pairs for ratio in stage]
    return every[0] if len(set(every)) == 1 else round(sum(every) / len(every))


def pairs_text(ratios: int | Pairs) -> str:
    """Ratios as they are typed: `0.4`, or pairs behind commas and stages behind slashes, `0.2,0.4/0.6`."""
    if isinstance(ratios, int):
        return f"{ratios / WHOLE:g}"
    return "/".join(",".join(f"{ratio / WHOLE:g}" for ratio in stage) for stage in ratios)


def same_everywhere(text: str) -> bool:
    """Whether a text of `pairs_text` names one ratio for all block pairs."""
    return len(set(re.split("[,/]", text))) == 1


def _stem(ratios: int | Pairs) -> str:
    if isinstance(ratios, int):
        return f"{ratios:04d}"
    return "-".join(".".join(f"{ratio:04d}" for ratio in stage) for stage in ratios)


def _read_stem(text: str) -> int | Pairs:
    if not re.search(r"[.-]", text):
        return int(text)
    return tuple(tuple(int(ratio) for ratio in stage.split(".")) for stage in text.split("-"))


def _spread(ratios: int | Pairs, depths: tuple[int, ...]) -> Pairs:
    """One ratio per block pair; InputError where there are others than the model's pairs."""
    if isinstance(ratios, int):
        return _everywhere(ratios, depths)
    expected = tuple(_pairs_of(depth) for depth in depths)
    if _shape(ratios) != expected:
        raise InputError("ratios", f"{_shape(ratios)} ratios per stage; the model has {expected} block pairs")
    return ratios


def _everywhere(thousandths: int, depths: tuple[int, ...]) -> Pairs:
    return tuple((thousandths,) * _pairs_of(depth) for depth in depths)


def _pairs_of(depth: int) -> int:
    return (depth + 1) // 2


def _shape(pairs: Pairs) -> tuple[int, ...]:
    return tuple(len(stage) for stage in pairs)


def _refuse_falling(name: str, stage: int, ratios: tuple[int, ...]) -> None:
    for pair, (before, after) in enumerate(pairwise(ratios), start=1):
        if after < before:
            message = f"{after / WHOLE:g} after {before / WHOLE:g}; {name} must not fall within a stage"
            raise InputError("ratios", message, f"stage {stage} pair {pair}")
