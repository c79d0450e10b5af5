"""Opens reports in Chromium and checks what they show, at two widths and in two themes.

It uses the latest builds of `train` and `report`, gnuplot, chromium and chromedriver. Without a browser it
says so and succeeds; in continuous integration it fails.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import checks
import pages
from webdriver import Browser

WIDTHS = (1280, 390)
THEMES = ("light", "dark")
KILOBYTE = 1000


def main():
    missing = [tool for tool in ("chromium", "chromedriver", "gnuplot") if not shutil.which(tool)]
    if missing and not os.environ.get("CI"):
        print(f"skipped: there is no {', '.join(missing)}; make chromium gnuplot installs them")
        return
    checks.require(not missing, f"there is no {', '.join(missing)}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, Browser() as browser:
        count = check_all(browser, Path(directory))
    print(f"{count} pages opened in {time.monotonic() - started:.0f} s: all checks passed")


def check_all(browser, directory):
    names = pages.make_names(directory)
    mixed = pages.make_mixed(directory)
    hostile = pages.make_hostile(directory)
    comparison = pages.make_comparison(directory, [names, hostile, mixed])
    without = pages.make_without_gnuplot(directory, names)
    damaged = pages.make_damaged(directory, names)
    size = (names / "report.html").stat().st_size
    checks.require(size < 500 * KILOBYTE, f"the page has {size} bytes")
    count = 0
    for width in WIDTHS:
        for theme in THEMES:
            browser.show(width, theme)
            check_names(browser, names, theme)
            check_hostile(browser, hostile)
            check_comparison(browser, comparison, [names, hostile, mixed])
            count += 3
    check_mixed(browser, mixed)
    check_without_gnuplot(browser, without)
    check_damaged(browser, damaged)
    checks.require(not Path("hacked").exists(), "a word was run by gnuplot")
    return count + 3


def check_names(browser, run, theme):
    page = run / "report.html"
    browser.open(page)
    checks.has_charts(browser, run)
    checks.reads_well(browser, theme)
    checks.generates(browser, "ma", is_mixed=False)
    checks.is_calm(browser, page)


def check_mixed(browser, run):
    page = run / "report.html"
    browser.open(page)
    checks.generates(browser, "ma", is_mixed=True)
    checks.keeps_to_lengths_and_endings(browser)
    checks.cuts(browser)
    notices = browser.run(
        "return [...document.querySelectorAll('.notice')].map(e => e.textContent)")
    last = checks.metrics(run)[-1]["step"]
    checks.require(
        f"Training stopped at step {last} of 600: the validation loss is below 2.9." in notices,
        f"the page says {notices}")
    checks.is_calm(browser, page)


def check_hostile(browser, run):
    page = run / "report.html"
    browser.open(page)
    checks.has_charts(browser, run)
    checks.runs_nothing(browser, pages.HOSTILE_WORDS, run.name)
    checks.generates(browser, "<", is_mixed=False)
    checks.runs_nothing(browser, pages.HOSTILE_WORDS, run.name)
    checks.is_calm(browser, page)


def check_comparison(browser, page, runs):
    browser.open(page)
    markers = browser.run("return document.querySelectorAll('#chart-comparison use').length")
    lines = sum(len(checks.metrics(run)) for run in runs)
    checks.require(markers == lines, f"the comparison has {markers} points, its runs {lines}")
    names = browser.run(
        "return [...document.querySelectorAll('#runs tbody bdi')].map(e => e.textContent)")
    checks.require(names == [checks.shown_name(run.name) for run in runs], f"the table has the runs {names}")
    # The runs differ in length, so that each is drawn over the share of its steps.
    text = browser.run("return document.querySelector('#curves').textContent")
    checks.require("percent of the steps" in text and "share of its steps" in text, f"the chart says {text}")
    cells = browser.run("""
const column = name => [...document.querySelectorAll('#runs th')].findIndex(e => e.textContent === name);
return [...document.querySelectorAll('#runs tbody tr')].map(row => ['counting', 'mixture'].map(
  name => row.cells[column(name)].textContent));""")
    counting = [float(cell[0]) for cell in cells]
    checks.require(cells[0][0] == cells[2][0] and counting[1] != counting[0], f"counting reaches {cells}")
    checks.require([cell[1] == "–" for cell in cells] == [True, True, False]
                   and float(cells[2][1]) < counting[2], f"both reach {cells}")
    checks.is_calm(browser, page)


def check_without_gnuplot(browser, page):
    browser.open(page)
    notice = browser.run("return document.querySelector('.notice').textContent")
    checks.require("gnuplot" in notice, f"without gnuplot the page says {notice}")
    checks.require(browser.run("return document.querySelectorAll('svg').length") == 0, "a picture")
    checks.require(browser.run("return document.querySelectorAll('table').length") >= 6, "no tables")
    checks.generates(browser, "ma", is_mixed=False)
    checks.is_calm(browser, page)


def check_damaged(browser, page):
    """The generator says so if its network differs from Swift's."""
    browser.open(page)
    found = browser.run(
        "const e = document.getElementById('self-check'); return [e.className, e.textContent]")
    checks.require(found[0] == "check failed" and "FAILED" in found[1],
                   f"with another weight the self-check says {found}")


if __name__ == "__main__":
    try:
        main()
    except checks.Failure as failure:
        sys.exit(f"browser: {failure}")
