"""The page in headless Chromium: no errors, nothing loaded, and everything that can be done with a mouse or keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import DESK, HOSTILE, Opened, Places

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.needs("browser")
HEADINGS = [
    *("Summary", "Comparison", "Waterfall", "Layers", "Pareto", "Windows", "Timeline"),
    *("Config and provenance", "Glossary"),
]


@pytest.fixture
def desk(browser: Browser, report: Path) -> Iterator[Opened]:
    opened = Opened(browser, report, DESK)
    yield opened
    opened.context.close()
    assert opened.said == []
    assert [url for url in opened.loaded if not url.startswith(("file:", "data:", "blob:"))] == []
    assert len([url for url in opened.loaded if url.startswith("file:")]) == 1


def column(page: Page, number: int) -> list[str]:
    """The cells of a column of the layer table."""
    return page.locator(f"#layers tbody tr td:nth-child({number})").all_inner_texts()


def as_numbers(cells: list[str]) -> list[int]:
    return [int(cell.replace(",", "")) for cell in cells]


def test_every_part_is_there(desk: Opened) -> None:
    headings = desk.page.locator("main h2").all_inner_texts()
    assert headings == HEADINGS
    assert desk.page.locator("#waterfall .trace.bars").count() == 1
    assert desk.page.locator("#timeline .heatmaplayer image").count() == 1
    assert desk.page.locator("nav a").count() == len(headings)


def test_the_summary_says_what_gemms_gain(desk: Opened, places: Places) -> None:
    gain = json.loads((places.run / "run.json").read_text(encoding="utf-8"))["speedup"]["gemms"]
    cards = desk.page.locator("#summary .card", has_text="GEMMs alone").all_inner_texts()
    assert any(f"{gain:.3f}x" in text for text in cards), cards


def test_an_error_of_the_page_is_noticed(browser: Browser, report: Path, tmp_path: Path) -> None:
    """The planted fault of the fixture's own check: a script that throws, a picture from the network."""
    fault = "<script>throw new Error('planted')</script><img src='https://example.org/x.png'>"
    broken = tmp_path / "broken.html"
    broken.write_text(report.read_text(encoding="utf-8").replace("</body>", fault + "</body>"), encoding="utf-8")
    opened = Opened(browser, broken, DESK)
    opened.context.close()
    assert any("planted" in text for text in opened.said)
    assert any("Content Security Policy" in text for text in opened.said)


def test_layers_filter_by_words_kind_and_stage(desk: Opened) -> None:
    page = desk.page
    every = len(column(page, 1))
    page.fill("#layer-search", "ATTN qk")
    names = column(page, 2)
    assert 0 < len(names) < every
    assert all("attn" in name and "qk" in name for name in names)
    assert page.inner_text("#layer-count") == f"{len(names)} of {every} rows"
    page.fill("#layer-search", "")
    page.select_option("#layer-kind", "gemm")
    page.select_option("#layer-stage", "1")
    assert set(column(page, 3)) == {"gemm"}
    assert set(column(page, 4)) == {"1"}
    page.fill("#layer-search", "nothing has this name")
    assert column(page, 1) == []


def test_layers_sort_by_click_and_by_enter(desk: Opened) -> None:
    page = desk.page
    macs = page.locator("#layers th", has_text="macs")
    macs.locator("button").click()
    cells = as_numbers(column(page, 11))
    assert cells == sorted(cells)
    assert macs.get_attribute("aria-sort") == "ascending"
    macs.locator("button").focus()
    page.keyboard.press("Enter")
    assert as_numbers(column(page, 11)) == cells[::-1] != cells
    assert macs.get_attribute("aria-sort") == "descending"
    page.locator("#layers th", has_text="name").locator("button").click()
    assert macs.get_attribute("aria-sort") is None
    page.select_option("#layer-columns", "all")
    assert page.locator("#layers th").count() > 25


def test_the_figures_of_a_layer_are_beside_its_name(desk: Opened) -> None:
    """Without scrolling sideways: what people look for comes before what explains it."""
    page = desk.page
    edge = page.evaluate("document.querySelector('#layers .wide').getBoundingClientRect().right")
    right = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#layers th')]"
        ".map((one) => [one.innerText, one.getBoundingClientRect().right]))"
    )
    seen = {name for name, end in right.items() if end <= edge}
    wanted = {f"{one} cycles" for one in ("attributed", "array busy", "vector busy", "dram busy")}
    assert seen >= {"name", "kind", "stage", *wanted, "dram read bits", "energy pj"}
    page.select_option("#layer-columns", "all")
    assert page.locator("#layers th").all_inner_texts()[: len(right)] == list(right), "in the same places"


def test_a_click_on_a_point_shows_its_config_and_ratios(desk: Opened) -> None:
    page = desk.page
    page.locator("#points .scatterlayer .trace").first.locator(".point").nth(1).click(force=True)
    said = page.inner_text("#point")
    assert "ratio 0.4" in said
    assert "packed" in said or HOSTILE.split("\u2028")[0] in said
    assert "accuracy" in said


def test_the_front_is_chosen_by_keys_and_follows_the_axes(desk: Opened) -> None:
    page = desk.page
    page.focus("#front")
    page.keyboard.press("ArrowDown")
    assert "ratio" in page.inner_text("#point h3")
    by_accuracy = page.locator("#front option").count()
    assert by_accuracy == 1 + 3, "the faster accelerator's; the other is as accurate"
    page.select_option("#up", "energy_uj")
    assert page.locator("#front option").count() == 1 + 2, "the fastest point, and the one that spends least"


def test_points_of_the_other_sweep_have_their_overrides_and_ratios_by_pair(desk: Opened) -> None:
    page = desk.page
    page.select_option("#sweep", "1")
    page.locator("#front option").nth(1).wait_for(state="attached")
    page.select_option("#front", index=1)
    said = page.inner_text("#point")
    assert "clock_mhz=" in said
    assert "ratios by pair" in said


def test_axes_of_accuracy_say_what_it_is_and_what_the_bars_are(desk: Opened) -> None:
    page = desk.page
    assert page.text_content("#points .ytitle") == "AP50 (0 to 1), higher is better"
    assert page.inner_text("#bars") == "Bars: 95 % bootstrap interval of AP50 over n = 100 canvases."
    assert page.locator("#points .yerror").count() == 6
    page.select_option("#across", "accuracy")
    page.select_option("#up", "energy_uj")
    assert page.text_content("#points .xtitle") == "AP50 (0 to 1), higher is better"
    assert (page.locator("#points .xerror").count(), page.locator("#points .yerror").count()) == (6, 0)
    page.select_option("#across", "latency_ms")
    assert page.inner_text("#bars") == ""


def test_a_sweep_beside_a_run_has_its_summary_and_where_it_comes_from(desk: Opened) -> None:
    page = desk.page
    assert page.locator("#summary .headline").count() == 2
    page.select_option("#sweep", "1")
    assert "clock_mhz=500" in page.locator("#summary .headline").nth(1).inner_text()
    assert page.locator("#summary tr.group").all_inner_texts() == [
        "packed_w4_32x32 clock_mhz=400",
        "packed_w4_32x32 clock_mhz=500",
    ]
    said = page.inner_text("#reference")
    assert "points sha256" in said
    assert "6 asked, 6 done" in said


def test_the_slider_of_stages_moves_by_arrows(desk: Opened) -> None:
    page = desk.page
    slider = page.locator("#stage")
    assert page.locator("#windows rect").count() == 16
    assert page.locator("#windows rect[data-bits='4']").count() == page.locator("#windows path").count() == 7
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#stage-text") == "stage 1: 2 of 4 windows low"
    assert slider.get_attribute("aria-valuetext") == "stage 1: 2 of 4 windows low"
    assert page.locator("#windows rect").count() == 4
    page.keyboard.press("ArrowLeft")
    assert page.locator("#windows rect").count() == 16


def test_the_key_of_the_windows_is_seen_and_marks_the_low_ones_as_the_map_does(desk: Opened) -> None:
    keys = desk.page.locator("#windows .key i")
    keys.last.scroll_into_view_if_needed()
    assert keys.last.is_visible()
    assert ["gradient" in str(key.get_attribute("style")) for key in keys.all()] == [False, True]


def test_lines_of_the_reverse_order_are_never_cut(desk: Opened) -> None:
    """The same steps, one of them far below everything else when it comes first."""
    lows = desk.page.evaluate(
        """() => {
          const steps = structuredClone(DATA.runs[0].waterfall.waterfall);
          steps[4].bar_reverse = -0.9;
          const { traces, layout } = waterfallChart(steps, {});
          return [Math.min(...traces[1].x.filter((x) => x !== null)), layout.xaxis.range[0]];
        }"""
    )
    assert lows[1] < lows[0] < 0.5


def test_a_front_goes_by_steps_since_nothing_lies_between_its_points(desk: Opened) -> None:
    found = desk.page.evaluate(
        "document.querySelector('#points .chart').data.filter((one) => one.name === 'Pareto front')"
        ".map((one) => one.line.shape)"
    )
    assert found == ["hv"]


def test_units_that_never_work_have_no_row_and_an_operator_says_when_it_ran(desk: Opened) -> None:
    page = desk.page
    units, busy = page.evaluate(
        "[document.querySelector('#timeline .chart').data[0].y.length,"
        " Object.values(DATA.runs[0].timeline.units).filter((one) => one.some((cycles) => cycles > 0)).length]"
    )
    assert units == busy < len(page.evaluate("DATA.runs[0].timeline.units"))
    bar = page.locator("#timeline .barlayer .trace").first.locator(".point").nth(3)
    bar.scroll_into_view_if_needed()
    bar.hover(force=True)
    said = page.locator("#timeline .hoverlayer .hovertext").first
    said.wait_for()
    name, cycles = str(said.locator("text").first.get_attribute("data-unformatted")).split("<br>")
    ran = page.evaluate(
        "records(DATA.runs[0].layers).map((row) => [row.name, row.first_start_cycles, row.last_ready_cycles])"
    )
    assert (name, cycles) in {(one, f"cycle {first:,} to {last:,}") for one, first, last in ran}


def test_another_run_changes_its_parts_and_no_others(desk: Opened) -> None:
    page = desk.page
    page.select_option("#run", "1")
    assert "plain_int8_32x32" in page.inner_text("#summary .headline")
    assert "mixarray explain" in page.inner_text("#waterfall .missing")
    assert "--timeline" in page.inner_text("#timeline .missing")
    assert page.locator("#points .scatterlayer .point").count() > 0


def test_the_toggle_and_the_system_choose_the_theme(browser: Browser, report: Path) -> None:
    for scheme, other in (("dark", "light"), ("light", "dark")):
        opened = Opened(browser, report, DESK, scheme)
        page = opened.page
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        before = [page.evaluate(BACKGROUND), page.evaluate(TICKS)]
        page.focus("#theme")
        page.keyboard.press("Enter")
        assert page.evaluate("document.documentElement.dataset.theme") == other
        after = [page.evaluate(BACKGROUND), page.evaluate(TICKS)]
        assert before[0] != after[0]
        assert before[1] != after[1], "charts follow"
        opened.context.close()
        assert opened.said == []


BACKGROUND = "getComputedStyle(document.body).backgroundColor"
TICKS = "getComputedStyle(document.querySelector('#waterfall .xtick text')).fill"


def test_tab_walks_through_everything_and_focus_is_seen(desk: Opened) -> None:
    page = desk.page
    reached = []
    for _ in range(200):
        page.keyboard.press("Tab")
        element, outline = page.evaluate(
            "[document.activeElement.id || document.activeElement.tagName,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        if element == "BODY":
            break
        reached.append(element)
        assert outline != "none", element
    wanted = ["run", "sweep", "theme", "layer-search", "layer-kind", "across", "up", "front", "stage"]
    assert [name for name in reached if name in wanted] == wanted, "in the order of the page"


def test_it_prints_in_light_without_controls(desk: Opened) -> None:
    page = desk.page
    page.evaluate("setTheme('dark')")
    page.emulate_media(media="print")
    assert not page.is_visible("header")
    assert not page.is_visible("#layers .controls")
    assert len(page.pdf()) > 10_000
    page.emulate_media(media="screen")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
