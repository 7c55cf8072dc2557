"""The windows of a run's image on its picture: from the bundle of the run, where that is at hand."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixarray.errors import InputError
from mixarray_analysis.subjects import Subject, read_subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mixarray.trace.bundle import Bundle

JPEG_QUALITY = 85


def windows_data(run: Path, image: int | None, picture: Path | None) -> dict[str, Any] | str:
    """Windows of the regular grid of each stage's first block, with the picture if it can be drawn or is given.

    image: of the bundle; None: the run's only one, or its first. A text says why there are none: the run is of no
    bundle or uniform, or its bundle is gone, another one, or without identities. InputError where `image` is not in the
    bundle or not in the run, or `picture` cannot be read or has another size.
    """
    from mixarray_analysis.plots.frames.windows import windows_frame

    try:
        subject = read_subject(run)
    except InputError as error:
        return str(error)
    if subject.uniform is not None:
        return "it ran uniformly: every window at the same bits"
    number, bundle = _image(subject, image), subject.bundle
    try:
        shown = windows_frame(bundle, number)
    except InputError as error:
        return str(error)
    pixels = _pixels(bundle, number, picture)
    return {
        "image": bundle.images[number],
        "width_px": bundle.manifest.input_width,
        "height_px": bundle.manifest.input_height,
        "columns": list(shown.columns),
        "rows": shown.astype(object).to_numpy().tolist(),
        "picture": None if pixels is None else _data_url(pixels),
    }


def _image(subject: Subject, wanted: int | None) -> int:
    ran = subject.image
    if wanted is None:
        return ran or 0
    if ran not in (None, wanted):
        raise InputError("--image", f"{subject.name} ran image {ran} alone")
    if wanted >= len(subject.bundle.images):
        last = len(subject.bundle.images) - 1
        raise InputError("--image", f"{wanted} is not in the bundle of {subject.name}; it has images 0 to {last}")
    return wanted


def _pixels(bundle: Bundle, image: int, picture: Path | None) -> NDArray[np.uint8] | None:
    """The picture given, or a drawn canvas; None for an image that is neither."""
    from mixarray_analysis.plots.pictures import find_picture

    try:
        return find_picture(bundle, image, picture)
    except InputError:
        if picture is not None:
            raise
        return None


def _data_url(pixels: NDArray[np.uint8]) -> str:
    """The picture for under the tint, its middle tones lifted as in the plot."""
    from PIL import Image

    from mixarray_analysis.plots.windows import GAMMA

    lightened = Image.fromarray(pixels).point([round(255 * (value / 255) ** GAMMA) for value in range(256)] * 3)
    file = io.BytesIO()
    lightened.save(file, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
