"""The page in headless Chromium at 390 px: it scrolls in one direction, and no text is cut, covered or hidden."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import DESK, Opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.needs("browser")
PHONE = {"width": 390, "height": 844}


def test_a_phone_scrolls_in_one_direction(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report, PHONE)
    page = opened.page
    page.select_option("#front", index=1)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.evaluate(
        "document.querySelector('main').append(Object.assign(document.createElement('pre'), {style: 'width:900px'}))"
    )
    assert page.evaluate("document.documentElement.scrollWidth") > PHONE["width"], "a wide element would be noticed"
    opened.context.close()
    assert opened.said == []


TEXTS_OVER_TEXTS = """(charts) => [...document.querySelectorAll(charts)].flatMap((chart) => {
  const texts = [...chart.querySelectorAll("svg text")].map((one) => [one.textContent, one.getBoundingClientRect()])
    .filter(([text, box]) => text.trim() !== "" && box.width > 0);
  const over = (one, other) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1
    && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2;
  return texts.flatMap(([text, box], at) =>
    texts.slice(at + 1).filter(([, other]) => over(box, other)).map(([other]) => [text, other]));
})"""
"""Pairs of texts of a chart that print over each other; lines of one label are one text."""
EVERY_JOB = """() => {
  const kinds = Object.keys(DATA.words).sort((one, other) => jobWords(other).length - jobWords(one).length);
  const entries = kinds.map((kind, place) => ({ unit: "arrays.0", kind, cycles: 1000 * place + 1 }));
  chart([...document.querySelectorAll("#timeline .chart")].pop(), (colours) => attributionChart(entries, 1e6, colours));
}"""
"""The critical chain of a run that does everything there is, the longest labels beside each other."""


def test_no_text_is_over_another_on_a_phone(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report, PHONE)
    page = opened.page
    page.evaluate(EVERY_JOB)
    for sweep in ("0", "1"):
        page.select_option("#sweep", sweep)
        page.select_option("#front", index=1)
        assert page.evaluate(TEXTS_OVER_TEXTS, "#points .chart, #timeline .chart, #waterfall .chart") == []
    lines = "[...document.querySelectorAll('#timeline .ytick text')].map((one) => one.querySelectorAll('tspan').length)"
    assert max(page.evaluate(lines)) == 3
    page.evaluate("Plotly.relayout([...document.querySelectorAll('#timeline .chart')].pop(), { height: 300 })")
    assert page.evaluate(TEXTS_OVER_TEXTS, "#timeline .chart") != [], "labels over each other would be noticed"
    opened.context.close()
    assert opened.said == []


def test_the_legend_is_whole_on_a_phone_without_what_all_names_share(browser: Browser, report: Path) -> None:
    """Of names that no line holds, and of the machines of a grid."""
    opened = Opened(browser, report, PHONE)
    page = opened.page
    ends = (
        "[...document.querySelectorAll('#points .legendtext')].map((one) => one.getBoundingClientRect().right"
        " - document.querySelector('#points .chart').getBoundingClientRect().right)"
    )
    assert len(page.evaluate(ends)) == 3
    assert max(page.evaluate(ends)) <= 0
    assert page.evaluate("onLines('x'.repeat(90), 40).split('<br>').map((line) => line.length)") == [40, 40, 10]
    page.select_option("#sweep", "1")
    assert page.locator("#points .legendtext").all_text_contents() == ["clock_mhz=400", "clock_mhz=500", "Pareto front"]
    assert "All of them: packed_w4_32x32." in page.inner_text("#points p")
    short = "(names) => { const { short, shared } = shortNames(names); return [...short.values(), shared]; }"
    grid = [f"packed arrays.0.rows={side} arrays.0.columns={side} dataflow=a" for side in (16, 32)]
    assert page.evaluate(short, grid) == ["rows=16 columns=16", "rows=32 columns=32", "packed dataflow=a"]
    alike = ["a arrays.0.rows=1 arrays.1.rows=2", "a arrays.0.rows=2 arrays.1.rows=1"]
    assert page.evaluate(short, alike) == ["0.rows=1 1.rows=2", "0.rows=2 1.rows=1", "a"]
    assert page.evaluate(short, ["a", "a x=1"]) == ["a", "a x=1", ""], "nothing would be left of the first"
    assert page.evaluate(short, ["a b"]) == ["a b", ""]
    opened.context.close()


def test_a_chosen_point_hides_nothing_on_a_phone(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report, PHONE)
    page = opened.page
    page.select_option("#sweep", "1")
    page.select_option("#front", index=1)
    assert page.locator("#point dt").count() > 30
    assert (
        page.evaluate(
            "(({scrollHeight, clientHeight}) => scrollHeight - clientHeight)(document.getElementById('point'))"
        )
        <= 0
    )
    page.set_viewport_size(DESK)
    assert page.evaluate("document.getElementById('point').clientHeight") < 600, "beside the chart it scrolls"
    assert len(page.evaluate("document.querySelector('#waterfall .chart').layout.yaxis.range")) == 2
    opened.context.close()
    assert opened.said == []
