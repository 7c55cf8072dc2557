"""Reading what people type: ratios, sizes, bit pairs, lists. Every mistake names its option."""

from __future__ import annotations

import re
from collections.abc import Callable

from mixarray.errors import InputError
from mixarray.trace.padding import Padding
from mixarray.trace.precision import parse_precision
from mixarray.trace.ratio import Promotion, parse_pruning, parse_ratio
from mixarray_traces.quantization.ratios import Asked, Pairs, RatioChoice

MOST_RATIOS = 100


def read_number(text: str, option: str) -> float:
    """A number; raises InputError naming the option."""
    try:
        return float(text)
    except ValueError:
        raise InputError(option, f"{text!r} is not a number") from None


def read_ratio(text: str, option: str = "--ratio") -> int:
    """A compression ratio in thousandths; raises InputError unless it is 0 to 0.8 or 1."""
    return parse_ratio(read_number(text, option), option)


def read_ratios(text: str, option: str = "--ratios") -> tuple[int, ...]:
    """Ratios in thousandths, ascending and distinct: `0:0.8:0.2` (both ends included) or `0,0.4,0.8`."""
    if ":" not in text:
        return tuple(sorted({read_ratio(part, option) for part in split_list(text, option)}))
    parts = text.split(":")
    if len(parts) != 3:
        raise InputError(option, f"{text!r} is not a range; write FIRST:LAST:STEP, such as 0:0.8:0.2")
    first, last = (read_ratio(part, option) for part in parts[:2])
    step = read_ratio(parts[2], option)
    if step == 0 or last < first:
        raise InputError(option, f"{text!r} is empty or endless; the step is above 0 and FIRST at most LAST")
    steps, remainder = divmod(last - first, step)
    if remainder:
        raise InputError(option, f"{text!r} does not reach {parts[1]} in steps of {parts[2]}")
    if steps >= MOST_RATIOS:
        raise InputError(option, f"{text!r} has {steps + 1} ratios; at most {MOST_RATIOS}")
    return tuple(parse_ratio(value / 1000, option) for value in range(first, last + 1, step))


def read_choice(ratio: str, pruning: str = "0", promotion: str = Promotion.REFUSED.value) -> Asked:
    """The ratios of `--ratio`, `--pruning` and `--promotion`; a plain compression ratio is an integer."""
    return _choice(_read_pairs(ratio, "--ratio", parse_ratio), pruning, promotion)


def read_choices(ratios: str, pruning: str = "0", promotion: str = Promotion.REFUSED.value) -> tuple[Asked, ...]:
    """The choices of `read_ratio_list`; where something is pruned, ratio 0 without pruning comes first.

    It is what the others are compared with.
    """
    choices = read_ratio_list(ratios, pruning, promotion)
    pruned = [one for one in choices if isinstance(one, RatioChoice) and one.prunes]
    return tuple(dict.fromkeys((0, *choices))) if pruned else choices


def read_ratio_list(ratios: str, pruning: str = "0", promotion: str = Promotion.REFUSED.value) -> tuple[Asked, ...]:
    """The choices of `--ratios`: a range, a list, or per-pair ratios with semicolons between.

    `--pruning` is one for all of them, or one for each, with semicolons between.
    """
    found: list[int | Pairs] = (
        [_read_pairs(part, "--ratios", parse_ratio) for part in ratios.split(";")]
        if re.search("[;/]", ratios)
        else list(read_ratios(ratios))
    )
    pruned = pruning.split(";")
    if len(pruned) == 1:
        pruned *= len(found)
    elif ";" not in ratios or len(pruned) != len(found):
        message = f"has {len(pruned)} entries, --ratios {len(found)}; give one, or one for each, both with semicolons"
        raise InputError("--pruning", message)
    return tuple(dict.fromkeys(_choice(*pair, promotion) for pair in zip(found, pruned, strict=True)))


def _choice(ratio: int | Pairs, pruning: str, promotion: str) -> Asked:
    allowed = [known.value for known in Promotion]
    if promotion not in allowed:
        raise InputError("--promotion", f"{promotion!r} is not possible; allowed: {', '.join(allowed)}")
    choice = RatioChoice(ratio, _read_pairs(pruning, "--pruning", parse_pruning), Promotion(promotion))
    plain = isinstance(ratio, int) and choice == RatioChoice(ratio)
    return ratio if plain and isinstance(ratio, int) else choice


def read_padding(text: str) -> Padding:
    """What runs on padded positions; raises InputError naming the possible answers."""
    allowed = [known.value for known in Padding]
    if text not in allowed:
        raise InputError("--padding", f"{text!r} is not possible; allowed: {', '.join(allowed)}")
    return Padding(text)


def _read_pairs(text: str, option: str, parse: Callable[[float, str], int]) -> int | Pairs:
    """One ratio for all block pairs, or one for each: `0.4`, or `0.2/0.4/0.4,0.6,0.8` (a slash ends a stage)."""
    if not re.search("[/,]", text):
        return parse(read_number(text, option), option)
    stages = [stage.split(",") for stage in text.split("/")]
    if not all(part.strip() for stage in stages for part in stage):
        raise InputError(option, f"{text!r} has an empty entry; write one ratio per block pair, such as 0.2/0.4,0.6")
    return tuple(tuple(parse(read_number(part, option), option) for part in stage) for stage in stages)


def split_list(text: str, option: str) -> tuple[str, ...]:
    """The parts of `a,b,c`; raises InputError where a part is empty or stands twice."""
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise InputError(option, f"{text!r} has an empty entry; write a,b,c")
    repeated = sorted({part for part in parts if parts.count(part) > 1})
    if repeated:
        raise InputError(option, f"{', '.join(repeated)} stands twice")
    return parts


def check_canvases(number: int) -> None:
    """Raise InputError for one canvas: an interval over canvases needs two."""
    if number == 1:
        raise InputError("--n", "1 canvas has no interval; give at least 2, or 0 to evaluate nothing")


def read_gemm(text: str) -> tuple[int, int, int]:
    """M, N, K of `--gemm 64,64,64`."""
    m, n, k = _integers(text, ",", "M,N,K", "--gemm")
    return m, n, k


def read_bits(text: str) -> tuple[int, int]:
    """Activation and weight bits of `--bits 8,4`; which of them streams is the dataflow's matter."""
    activation, weight = _integers(text, ",", "ACTIVATION,WEIGHT", "--bits")
    return activation, weight


def read_branch_bits(text: str) -> tuple[int, int]:
    """Activation bits of the high and the low branch, of `--bits 4,2`; each 2 to 8, the low ones fewer."""
    high, low = _integers(text, ",", "HIGH,LOW", "--bits")
    if not 2 <= low < high <= 8:
        raise InputError(
            "--bits", f"{text!r}: activation bits lie in 2 to 8, the low branch has fewer than the high one"
        )
    return high, low


def read_size(text: str) -> tuple[int, int]:
    """Height and width in pixels of `--input 800x1333`."""
    height, width = _integers(text.lower(), "x", "HxW", "--input")
    return height, width


def read_uniform(text: str) -> tuple[int, int]:
    """(activation bits, weight bits) of `--uniform W4A8`."""
    return parse_precision(text, "--uniform")


def _integers(text: str, separator: str, form: str, option: str) -> list[int]:
    """As many positive integers as `form` has parts; raises InputError naming the form."""
    parts = [part.strip() for part in text.split(separator)]
    values = [int(part) for part in parts if re.fullmatch(r"[0-9]{1,9}", part)]
    if len(values) != len(parts) or len(parts) != len(form.split(separator)) or min(values) < 1:
        raise InputError(option, f"{text!r} is not {form} in integers from 1 to 999999999")
    return values
