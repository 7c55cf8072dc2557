"""Which pages there are."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[3]


def every_page() -> tuple[Path, ...]:
    """The pages of the top folder and of docs/, the READMEs of folders, and the shipped model's card."""
    found = (
        *sorted(REPOSITORY.glob("*.md")),
        *sorted((REPOSITORY / "docs").glob("*.md")),
        *(REPOSITORY / folder / "README.md" for folder in ("benchmarks", "rtl", "tests/golden")),
        REPOSITORY / "traces" / "mixarray_traces" / "shipped" / "MODEL_CARD.md",
    )
    return tuple(page.relative_to(REPOSITORY) for page in found)
