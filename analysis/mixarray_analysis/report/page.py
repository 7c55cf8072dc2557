"""One self-contained HTML page: template, style, Plotly, our scripts and the data, in one text."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from typing import Any

from mixarray.errors import InputError

MOST_BYTES = 8_000_000
SCRIPTS = (
    "dom.js",
    "charts.js",
    "table.js",
    "summary.js",
    "waterfall.js",
    "layers.js",
    "points.js",
    "windows.js",
    "timeline.js",
    "reference.js",
    "main.js",
)
"""In the order in which they need each other."""
UNSAFE: dict[str, str | int | None] = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
"""Characters that could end a script or be markup; in JSON they only occur within strings."""


def render(data: dict[str, Any], most_bytes: int = MOST_BYTES) -> str:
    """The page; InputError where it would be larger than `most_bytes`."""
    from plotly.offline import get_plotlyjs

    parts = {
        "title": html.escape(_title(data)),
        "style": _asset("report.css"),
        "plotly": get_plotlyjs(),
        "data": embedded_json(data),
        "script": "\n".join(map(_asset, SCRIPTS)),
        "sentences": "\n".join(f"<p>{html.escape(text)}</p>" for one in _sources(data) for text in _sentences(one)),
    }
    head, *pieces = _asset("page.html").split("{{")
    page = head + "".join(_filled(piece, parts) for piece in pieces)
    size = len(page.encode())
    if size > most_bytes:
        message = f"would take {size / 1e6:.1f} MB, and a page takes at most {most_bytes / 1e6:.1f}: name fewer sources"
        raise InputError("report", message)
    return page


def embedded_json(data: object) -> str:
    """JSON that stays data inside a script element, whatever its strings hold; numbers read back exactly."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(str.maketrans(UNSAFE))


def _filled(piece: str, parts: dict[str, str]) -> str:
    """A piece of the template behind its first `{{`."""
    name, rest = piece.split("}}", 1)
    return parts[name] + rest


def _title(data: dict[str, Any]) -> str:
    names = [one["name"] for one in _sources(data)]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"mixarray: {names[0]}{more}"


def _sources(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [*data["runs"], *data["sweeps"]]


def _sentences(source: dict[str, Any]) -> list[str]:
    """What a page without scripts says of a run or a sweep."""
    return [source["headline"], *source.get("summary", {}).get("sentences", [])]


def _asset(name: str) -> str:
    return files("mixarray_analysis.report").joinpath("assets", name).read_text(encoding="utf-8")
