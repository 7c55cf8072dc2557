"""The pixels that a bundle's windows lie on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mixarray.errors import InputError
from mixarray.trace.bundle import Bundle
from mixarray_analysis.mistakes import users_mistake


def find_picture(bundle: Bundle, image: int, picture: Path | None) -> NDArray[np.uint8]:
    """The pixels of a bundle's image: a drawn canvas is drawn again, any other image is read from `picture`.

    Raises InputError where the file is needed, cannot be read, or has another size than the bundle's images.
    """
    manifest, name = bundle.manifest, bundle.images[image]
    if picture is not None:
        from mixarray_traces.data import load_image

        with users_mistake(str(picture)):
            pixels = load_image(picture)
    else:
        from mixarray_traces.data import Split, draw_canvas

        found = re.fullmatch(r"(train|validation|test)-(\d+)-(\d+)", name)
        if found is None:
            raise InputError("--picture", f"the bundle's image {name!r} is no drawn canvas; give its file")
        with users_mistake(name):
            pixels = draw_canvas(Split[found[1].upper()], int(found[2]), int(found[3]), manifest.input_height).image
    size = (manifest.input_height, manifest.input_width)
    if pixels.shape[:2] != size:
        raise InputError(str(picture or name), f"is {pixels.shape[0]}x{pixels.shape[1]} px, the bundle's {size}")
    return pixels
