"""Which share of windows runs low, per stage and block pair. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.errors import InputError
from mixarray.trace.ratio import check_compression, group_sizes


@dataclass(frozen=True, slots=True)
class Ratios:
    """Compression ratios in thousandths, `pairs[stage][block // 2]`; both blocks of a pair share theirs.

    Within a stage they must not fall, on either grid: a window once low is never promoted (nested sets).
    """

    pairs: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        for stage, ratios in enumerate(self.pairs):
            for pair, ratio in enumerate(ratios):
                check_compression(ratio, f"ratio of stage {stage} pair {pair}")
                if pair and ratio < ratios[pair - 1]:
                    message = f"{ratio / 1000:g} after {ratios[pair - 1] / 1000:g}; ratios must not fall within a stage"
                    raise InputError("ratios", message, f"stage {stage} pair {pair}")

    @classmethod
    def uniform(cls, thousandths: int, depths: tuple[int, ...]) -> Ratios:
        """The same ratio for every pair of a network with `depths` blocks per stage."""
        return cls(tuple((thousandths,) * ((depth + 1) // 2) for depth in depths))

    def check_depths(self, depths: tuple[int, ...]) -> None:
        """Raise InputError unless there is one ratio per block pair of a network with `depths` blocks per stage."""
        expected = tuple((depth + 1) // 2 for depth in depths)
        found = tuple(len(ratios) for ratios in self.pairs)
        if found != expected:
            raise InputError("ratios", f"{found} ratios per stage; the model has {expected} block pairs")

    def high_windows(self, stage: int, block: int, windows: int) -> int:
        """How many of a block's windows run in the high branch."""
        return group_sizes(windows, self.pairs[stage][block // 2])[0]

    @property
    def nominal(self) -> int:
        """The ratio of all pairs if they agree, else their mean rounded to thousandths."""
        every = [ratio for ratios in self.pairs for ratio in ratios]
        return every[0] if len(set(every)) == 1 else round(sum(every) / len(every))
