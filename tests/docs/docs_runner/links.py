"""Links of pages: whether they lead somewhere, and which pages they reach."""

from __future__ import annotations

import re
from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
ELSEWHERE = ("http://", "https://", "mailto:")


def links_of(text: str) -> list[str]:
    """Targets of the links of a page that stay in the repository; what stands in code is none."""
    return [target for target in LINK.findall(CODE.sub("", text)) if not target.startswith(ELSEWHERE)]


def anchors_of(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = HEADING.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> list[str]:
    """Links of a page whose file or heading is not there."""
    return [target for target in links_of(page.read_text(encoding="utf-8")) if not _leads_somewhere(page, target)]


def reached_from(start: Path) -> set[Path]:
    """All pages that links lead to, step by step."""
    found, waiting = {start.resolve()}, [start.resolve()]
    while waiting:
        page = waiting.pop()
        if page.suffix != ".md":
            continue
        for target in links_of(page.read_text(encoding="utf-8")):
            other = (page.parent / target.partition("#")[0]).resolve()
            if other.is_file() and other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _leads_somewhere(page: Path, target: str) -> bool:
    file, _, anchor = target.partition("#")
    other = page.parent / file if file else page
    return other.exists() and (not anchor or anchor in anchors_of(other.read_text(encoding="utf-8")))
