"""The shape of a Swin transformer and its head, without torch: all that the topology of a trace needs."""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.errors import InputError


@dataclass(frozen=True, slots=True)
class ClassifierShape:
    """LayerNorm, mean over the tokens, one Linear."""

    classes: int


@dataclass(frozen=True, slots=True)
class DetectionShape:
    """The detector's head on the maps of the last two stages (`mixarray_traces.model.detector.DetectionHead`)."""

    channels: int
    hidden_channels: int
    outputs: int


HeadShape = ClassifierShape | DetectionShape | None


@dataclass(frozen=True, slots=True)
class SwinShape:
    """Sizes of a Swin transformer (Liu et al., ICCV 2021); `channels`, `depths` and `heads` per stage.

    `shrinks_small_maps`: on a map not larger than the window nothing is shifted (the classification rule).
    """

    name: str
    channels: tuple[int, ...]
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int = 7
    mlp_ratio: int = 4
    patch: int = 4
    in_channels: int = 3
    shrinks_small_maps: bool = True

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.depths)


def _doubling(name: str, embed: int, depths: tuple[int, ...], heads: tuple[int, ...]) -> SwinShape:
    return SwinShape(name, tuple(embed * 2**stage for stage in range(len(depths))), depths, heads)


_SHAPES = {
    shape.name: shape
    for shape in (
        _doubling("swin_t", 96, (2, 2, 6, 2), (3, 6, 12, 24)),
        _doubling("swin_s", 96, (2, 2, 18, 2), (3, 6, 12, 24)),
        _doubling("swin_b", 128, (2, 2, 18, 2), (4, 8, 16, 32)),
    )
}


def shape_named(name: str) -> SwinShape:
    """The published shape `swin_t`, `swin_s` or `swin_b`; InputError for another name."""
    try:
        return _SHAPES[name]
    except KeyError:
        raise InputError("--model", f"{name!r} is unknown; allowed: {', '.join(sorted(_SHAPES))}") from None


@dataclass(frozen=True, slots=True)
class MapGrid:
    """How a map of height x width tokens is cut into windows of window x window, after a cyclic shift."""

    height: int
    width: int
    window: int
    shift: int

    @property
    def windows(self) -> int:
        """Windows of one image, padded ones included."""
        return -(-self.height // self.window) * -(-self.width // self.window)

    @property
    def tokens(self) -> int:
        """Real tokens."""
        return self.height * self.width

    def window_tokens(self) -> list[int]:
        """Real tokens of each window, row by row; padding is at the lower right before the shift."""
        rows = _real(self.height, self.window, self.shift)
        columns = _real(self.width, self.window, self.shift)
        return [row * column for row in rows for column in columns]


def _real(length: int, window: int, shift: int) -> list[int]:
    padded = -(-length // window) * window
    return [
        sum((start + offset + shift) % padded < length for offset in range(window))
        for start in range(0, padded, window)
    ]


def map_grid(shape: SwinShape, height: int, width: int, block: int) -> MapGrid:
    """The grid of block number `block` on a map; InputError where the map is smaller than a window."""
    small = min(height, width) <= shape.window and shape.shrinks_small_maps
    if small and min(height, width) < shape.window:
        message = f"a map of {height}x{width} tokens is smaller than the {shape.window}x{shape.window} window"
        raise InputError("input size", f"{message}; take a larger image")
    shift = shape.window // 2 if block % 2 and not small else 0
    return MapGrid(height, width, shape.window, shift)


def stage_sizes(shape: SwinShape, height: int, width: int) -> list[tuple[int, int]]:
    """Height and width of every stage's map in tokens, for an image of height x width px."""
    if height < 1 or width < 1:
        raise InputError("input size", f"{height}x{width} px; allowed: from 1x1")
    rows, columns = -(-height // shape.patch), -(-width // shape.patch)
    sizes = [(rows, columns)]
    for _ in range(1, shape.stages):
        rows, columns = -(-rows // 2), -(-columns // 2)
        sizes.append((rows, columns))
    return sizes
