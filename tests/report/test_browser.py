"""The page in headless Chromium: it sorts, changes its theme, complains of nothing and asks for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ferbench.report.page import write_report

COMMITTED = Path(__file__).parents[2] / "reports" / "index.html"
FIRST_NAMES = "[...document.querySelector('table.sortable').tBodies[0].rows].map(row => row.cells[1].textContent)"


@pytest.fixture
def page(make_run, make_survey, reports: Path, tmp_path: Path) -> Path:
    pytest.importorskip("plotly")
    for place, name in enumerate(("slow", "middle", "quick")):
        make_run(name, skill=0.8 - 0.3 * place, family="deep", n_epochs=4)
    make_survey({"slow": 10.0, "middle": 1.2, "quick": 0.2})
    make_run("alone", dataset="ferplus_majority")
    return write_report(reports, tmp_path / "page").files[0]


def test_page_sorts_changes_theme_and_needs_no_network(page: Path, browser: Any) -> None:
    browser.open(page)
    browser.until("document.querySelector('#board0-pareto .main-svg') !== null")
    assert browser.evaluate(FIRST_NAMES) == ["slow", "middle", "quick"]

    sort = "[...document.querySelectorAll('table.sortable th button')].find(one => one.textContent == 'ms a face')"
    browser.evaluate(f"{sort}.focus()")
    for event in ("rawKeyDown", "char", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=event, key="Enter", text="\r", windowsVirtualKeyCode=13)
    browser.evaluate(f"{sort}.click()")
    assert browser.evaluate(FIRST_NAMES) == ["quick", "middle", "slow"]
    assert browser.evaluate(f"{sort}.parentElement.getAttribute('aria-sort')") == "ascending"

    before = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    browser.evaluate("document.getElementById('theme').click()")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert browser.evaluate("document.getElementById('theme').getAttribute('aria-pressed')") == "true"

    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    browser.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    browser.until("[...document.querySelectorAll('.plot')].every(one => one.querySelector('.main-svg'))")
    browser.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert browser.evaluate("document.querySelectorAll('svg text').length") > 20
    assert browser.complaints == []
    assert {address for address in browser.requests if not address.startswith(("data:", "about:"))} == {page.as_uri()}


@pytest.mark.skipif(not COMMITTED.is_file(), reason="python -m ferbench report writes it")
def test_committed_page_sorts_changes_theme_and_needs_no_network(browser: Any) -> None:
    assert COMMITTED.stat().st_size < 4_000_000
    browser.open(COMMITTED, width=1440, height=900)
    browser.until("document.querySelector('#board0-pareto .main-svg') !== null")
    bottom = "document.querySelector('#board0-pareto .xaxislayer-above').getBoundingClientRect().bottom"
    assert browser.evaluate(f"{bottom} <= 900")
    assert browser.evaluate("document.querySelectorAll('#board0 .budgets strong').length") == 3

    before = browser.evaluate(FIRST_NAMES)
    browser.evaluate("document.querySelector('#board0 th[scope=col]:nth-child(2) button').click()")
    assert browser.evaluate(FIRST_NAMES) == sorted(before) != before
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    browser.evaluate("document.getElementById('theme').click()")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") != ground
    browser.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    browser.until("[...document.querySelectorAll('.plot')].every(one => one.querySelector('.main-svg'))")
    assert browser.complaints == []
    requests = {address for address in browser.requests if not address.startswith(("data:", "about:"))}
    assert requests == {COMMITTED.as_uri()}


def test_page_follows_the_theme_of_the_system_and_fits_a_phone(page: Path, browser: Any) -> None:
    browser.open(page, width=375, height=812, mobile=True, scheme="dark")
    browser.evaluate("localStorage.clear()")
    browser.open(page, width=375, height=812, mobile=True, scheme="dark")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 28)"
    assert browser.evaluate("document.documentElement.scrollWidth") <= 375
    small = "[...document.querySelectorAll('td, th, p')].filter(one => parseFloat(getComputedStyle(one).fontSize) < 12)"
    assert browser.evaluate(f"{small}.length") == 0
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"


def test_controls_and_regions_have_names(page: Path, browser: Any) -> None:
    browser.open(page)
    browser.until("document.querySelector('#board0-pareto .main-svg') !== null")
    browser.call("Accessibility.enable")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    named = ("button", "link", "region", "table", "image", "navigation")
    unnamed = [
        node["role"]["value"]
        for node in nodes
        if not node.get("ignored") and node["role"]["value"] in named and not node.get("name", {}).get("value")
    ]
    assert unnamed == []
    assert {"main", "navigation", "table", "columnheader", "rowheader"} <= {
        node["role"]["value"] for node in nodes if "role" in node
    }
