"""What `mixarray record` can be asked for, checked as a whole, and done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mixarray.atomic import ResultKind, check_replaceable
from mixarray.errors import InputError
from mixarray.trace.padding import Padding
from mixarray_traces.quantization.ratios import Asked

if TYPE_CHECKING:
    from mixarray_traces.quantization import QuantizedDetector
    from mixarray_traces.record import RecordImage

NAMED_SHAPES = ("swin_t", "swin_s", "swin_b")
RANDOM = "random"
TRAINED = "trained"
CANVAS_PX = 448
BRANCH_BITS, WEIGHT_BITS, SIDE_BITS = (8, 4), 4, 8
UNMARKED = "uniform_affine"


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """One bundle to record.

    model: a quantized model's directory, None for the shipped one, or a name of NAMED_SHAPES (then weights and score
    are random). images: the user's files; data, image_dir: the user's labelled photographs (`own_data.OwnData`), of
    which `canvases` (1) are drawn; without both `canvases` (1) are drawn, `size` (448) px a side. input_size:
    (height, width) in pixels of a named model. branch_bits: activation bits of its high and low branch (None: 8, 4);
    weight_bits: of its blocks (None: 4); allocation: a file with the bits of single layers of it; method: whose marks
    its trace bears (None: uniform_affine); rank: of a side path of 8 bits beside every layer of its blocks.
    padding: what runs on padded positions.
    """

    out: Path
    ratio: Asked
    model: str | None = None
    images: tuple[Path, ...] = ()
    data: Path | None = None
    image_dir: Path | None = None
    canvases: int | None = None
    size: int | None = None
    input_size: tuple[int, int] | None = None
    weights: str = TRAINED
    branch_bits: tuple[int, int] | None = None
    weight_bits: int | None = None
    allocation: Path | None = None
    method: str | None = None
    rank: int | None = None
    score: str | None = None
    tensors: str = "none"
    seed: int = 0
    force: bool = False
    quiet: bool = False
    padding: Padding = Padding.ATTENTION


def record_request(request: RecordRequest) -> Path:
    """Record the bundle; InputError for a request that contradicts itself or cannot be met."""
    model = [Path(request.model)] if request.model is not None and request.model not in NAMED_SHAPES else []
    check_replaceable(request.out, ResultKind.BUNDLE, request.force, [*model, *request.images])
    if request.weights not in (TRAINED, RANDOM):
        raise InputError("--weights", f"{request.weights!r} is not possible; allowed: {TRAINED}, {RANDOM}")
    return _record_shape(request) if request.model in NAMED_SHAPES else _record_model(request)


def _record_shape(request: RecordRequest) -> Path:
    """A published shape: no weights are run, so the window choice is random and says so."""
    if request.weights != RANDOM:
        raise InputError("--weights", f"there are no trained weights of {request.model}; give --weights {RANDOM}")
    if request.score != RANDOM:
        raise InputError("--score", f"windows of random weights have no importance; give --score {RANDOM}")
    if request.input_size is None:
        raise InputError("--input", f"{request.model} needs an input size, such as 800x1333")
    if request.images or request.data or request.tensors != "none":
        raise InputError("--model", f"{request.model} is not run, so there are no images and no tensors to record")
    from mixarray_traces.quantization.allocation import read_allocation
    from mixarray_traces.record import random_bundle, shape_named
    from mixarray_traces.record.compensated import compensated
    from mixarray_traces.record.graph import Precision
    from mixarray_traces.record.method_marks import marks_of

    height, width = request.input_size
    shape = shape_named(str(request.model))
    wanted = height, width, request.ratio, request.seed, request.out, request.force
    allocation = None if request.allocation is None else read_allocation(request.allocation)
    bits = request.branch_bits or BRANCH_BITS, request.weight_bits or WEIGHT_BITS
    precision, quantizers = Precision(*bits, allocation=allocation), marks_of(request.method or UNMARKED)
    if request.rank is not None:
        precision, quantizers = compensated(shape, request.rank, SIDE_BITS, precision, quantizers)
    return random_bundle(shape, *wanted, precision=precision, padding=request.padding, quantizers=quantizers)


def _record_model(request: RecordRequest) -> Path:
    """The shipped or the user's quantized model, on drawn canvases or the user's images."""
    if request.weights != TRAINED:
        raise InputError("--weights", f"random weights need a named model: {', '.join(NAMED_SHAPES)}", "--model")
    if request.input_size is not None:
        raise InputError("--input", "is for named models; canvases take --size, your images their own size")
    if request.branch_bits is not None:
        raise InputError("--bits", "is for named models; a quantized model has the bits it was quantized to")
    if request.weight_bits is not None:
        raise InputError("--weight-bits", "is for named models; a quantized model has the bits it was quantized to")
    if request.allocation is not None:
        raise InputError("--allocation", "is for named models; a quantized model has the bits it was quantized to")
    if request.method is not None or request.rank is not None:
        option = "--rank" if request.method is None else "--method"
        raise InputError(option, "is for named models; a quantized model has the marks of its own method")
    if request.images and (request.canvases is not None or request.size is not None):
        raise InputError("--image", "your images have their own number and size; --n and --size are for drawn canvases")
    if request.data is None and request.image_dir is not None:
        raise InputError("--image-dir", "goes with --data")
    if request.images and request.data is not None:
        raise InputError("--image", "or --data, not both")
    from mixarray_analysis.models import open_model
    from mixarray_analysis.steps import record_ratio

    model = open_model(None if request.model is None else Path(request.model))
    images = _images(model, request)
    return record_ratio(
        model,
        images,
        request.out,
        request.ratio,
        score=request.score,
        seed=request.seed,
        tensors=request.tensors,
        force=request.force,
        quiet=request.quiet,
        padding=request.padding,
    )


def _images(model: QuantizedDetector, request: RecordRequest) -> list[RecordImage]:
    """What is recorded: the user's files, their labelled photographs, or drawn canvases."""
    from mixarray_analysis.own_data import OwnData, own_images
    from mixarray_analysis.steps import draw_images, read_images

    if request.images:
        return read_images(request.images)
    if request.data is not None:
        where = OwnData(request.data, request.image_dir, request.size)
        return own_images(model, where, request.canvases or 1, request.seed)
    return draw_images(request.canvases or 1, request.size or CANVAS_PX, request.seed)
