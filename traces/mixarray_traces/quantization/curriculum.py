"""A curriculum over calibration images: easy ones first (inspired by AIQViT, methods reference 6a). No torch.

Known: images are ordered by reconstruction loss, training starts with the easy ones, and their share grows linearly. A
guess (tagged [INF] there): after t iterations the share is min(1, f0 + (1 - f0) t / T').
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from mixarray_traces.quantization.aiqvit_options import AiqvitOptions


@dataclass(frozen=True, slots=True)
class Curriculum:
    """Image numbers, the easiest first, and how many of them an iteration may see.

    first_share_thousandths: at iteration 0; 1000 is no curriculum. ramp: iterations until all are seen (T').
    """

    numbers: tuple[int, ...]
    first_share_thousandths: int
    ramp: int

    def seen(self, iteration: int) -> int:
        """How many images iteration number `iteration` may draw from, at least 1."""
        first = self.first_share_thousandths
        share = min(1000, first + (1000 - first) * iteration // self.ramp)
        return -(-len(self.numbers) * share // 1000)

    def draw(self, iteration: int, batch: int, random: Random) -> list[int]:
        """Different images, at most `batch`, in rising order."""
        pool = self.numbers[: self.seen(iteration)]
        return sorted(random.sample(pool, min(batch, len(pool))))


def make_curriculum(losses: Sequence[float], numbers: Sequence[int], options: AiqvitOptions, total: int) -> Curriculum:
    """The curriculum of `total` iterations over images `numbers`, whose losses are `losses[number]`; ties by number."""
    ordered = tuple(sorted(numbers, key=lambda number: (losses[number], number)))
    ramp = max(1, total * options.ramp_thousandths // 1000)
    return Curriculum(ordered, options.first_share_thousandths if options.curriculum else 1000, ramp)
