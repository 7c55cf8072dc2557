"""Every link leads somewhere, and every page of docs/ stands in its index."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_runner.links import anchors_of, dead_links, links_of, reached_from
from docs_runner.pages import REPOSITORY, every_page

DOCS = REPOSITORY / "docs"
INDEX = DOCS / "README.md"


@pytest.mark.parametrize("page", every_page(), ids=str)
def test_no_link_is_dead(page: Path) -> None:
    assert dead_links(REPOSITORY / page) == []


def test_every_page_stands_in_the_index() -> None:
    listed = set(links_of(INDEX.read_text(encoding="utf-8")))
    kept = [*DOCS.glob("*.md"), *DOCS.glob("notebooks/*.ipynb")]
    assert {str(page.relative_to(DOCS)) for page in kept if page != INDEX} == listed


def test_the_index_is_reached_from_the_front_page() -> None:
    assert INDEX in reached_from(REPOSITORY / "README.md")


def test_planted_faults_are_noticed(tmp_path: Path) -> None:
    page, other, lost = tmp_path / "a.md", tmp_path / "b.md", tmp_path / "c.md"
    page.write_text("[b](b.md#the-name), [no](no.md), [bad](b.md#other), [here](#up), [web](https://x.y)\n\n# Up\n")
    other.write_text("# The *name*\n\n```\n# no heading\n```\n")
    lost.write_text("`[code](nowhere.md)`\n")
    assert dead_links(page) == ["no.md", "b.md#other"]
    assert reached_from(page) == {page, other}
    assert anchors_of(other.read_text()) == {"the-name"}
    assert links_of(lost.read_text()) == []
