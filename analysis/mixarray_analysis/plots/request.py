"""What a picture is asked to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixarray_analysis.plots.frames.gemm import GemmRequest
from mixarray_analysis.plots.names import Cost
from mixarray_analysis.plots.style import DEMO, Size


@dataclass(frozen=True, slots=True)
class Request:
    """Sources, a size, and what some kinds take beside.

    image, picture: of a bundle, and the file the image came from. gemm: instead of a source. cost: what is on the axis.
    accelerators, overrides: the machines of a waterfall of a bundle; overrides also of the machine of a tornado.
    where: conditions on the points of a sweep. jobs: processes that simulate side by side.
    """

    sources: tuple[Path, ...] = ()
    size: Size = DEMO
    image: int = 0
    picture: Path | None = None
    gemm: GemmRequest | None = None
    cost: Cost | None = None
    accelerators: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    jobs: int = 1
    quiet: bool = True

    @property
    def source(self) -> Path:
        """The first source, of kinds that take one."""
        return self.sources[0]
