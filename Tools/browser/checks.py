"""What must be true of a page in a browser. Each check raises a Failure that says what is not."""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from runs import Failure  # noqa: E402


def require(condition, message):
    if not condition:
        raise Failure(message)


def is_calm(browser, page):
    """Nothing on the console, nothing requested but the page, and nothing wider than the screen."""
    entries = browser.logs("browser")
    require(not entries, f"the console has {entries}")
    others = [url for url in browser.requests()
              if url != page.resolve().as_uri() and not url.startswith("data:")]
    require(not others, f"the page asked for {others}")
    width, screen = browser.run(
        "return [document.documentElement.scrollWidth, window.innerWidth]")
    require(width <= screen, f"the page is {width} pixels wide on a screen of {screen}")


def metrics(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def network(browser):
    return browser.run("return JSON.parse(document.getElementById('network').textContent)")


# Counts what is drawn: markers, bars, corners of lines, labels that are no marks of an axis.
_COUNT = """
const svg = document.getElementById('chart-' + arguments[0]);
if (!svg) return null;
const corners = [...svg.querySelectorAll('g[id*="_plot_"] path')]
  .map(path => (path.getAttribute('d').match(/[\\d.]+,[\\d.]+/g) || []).length);
return {
  markers: svg.querySelectorAll('use').length,
  bars: svg.querySelectorAll('polygon').length,
  corners: corners.reduce((a, b) => a + b, 0),
  first: corners[0],
  labels: svg.querySelectorAll('g[id*="_plot_"] text').length,
  height: svg.getBoundingClientRect().height,
};
"""

_IMAGE_SIZE = """
const done = arguments[arguments.length - 1];
const image = new Image();
image.onload = () => done([image.naturalWidth, image.naturalHeight]);
image.onerror = () => done(null);
image.src = document.querySelector('#chart-dlogits image').getAttribute('xlink:href');
"""


def has_charts(browser, run):
    """Every chart is there, with as many points as its data."""
    lines = metrics(run)
    symbols = len(network(browser)["symbols"]) + 1
    ratios = sum(line["update_ratio"][name] is not None
                 for line in lines for name in ("C", "W1", "W2"))
    expected = {
        "loss": ("markers", 2 * len(lines)),
        "learningRate": ("markers", len(lines)),
        "embedding": ("markers", min(symbols, 150)),
        "activations": ("bars", 34),
        "saturation": ("markers", 2 * len(lines)),
        "gradients": ("corners", 6 * 54),
        "updates": ("markers", ratios),
    }
    for chart, (kind, count) in expected.items():
        found = browser.run(_COUNT, chart)
        require(found is not None, f"there is no chart {chart}")
        require(found[kind] == count, f"{chart} has {found[kind]} {kind}, its data {count}")
        require(found["height"] > 60, f"{chart} is {found['height']} pixels high")
    means = sum(len(line["losses"]) for line in lines)
    found = browser.run(_COUNT, "loss")
    require(found["first"] == means <= 1000, f"the curve has {found['first']} of {means} points")
    found = browser.run(_COUNT, "embedding")
    require(found["labels"] == min(symbols, 150), f"the map has {found['labels']} labels")
    size = browser.run_async(_IMAGE_SIZE)
    require(size == [symbols, 32], f"dlogits is {size}, not {symbols} by 32")
    repeated = browser.run(
        "const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
        "return ids.filter((id, i) => ids.indexOf(id) !== i)")
    require(not repeated, f"ids that stand twice: {repeated}")


def reads_well(browser, theme):
    """The theme is the requested one, and all text contrasts with its background."""
    ratios = browser.run("""
const luminance = color => {
  const [r, g, b] = color.match(/[\\d.]+/g).map(Number)
    .map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const paper = luminance(getComputedStyle(document.body).backgroundColor);
const contrast = color => {
  const other = luminance(color);
  return (Math.max(paper, other) + 0.05) / (Math.min(paper, other) + 0.05);
};
return {
  paper,
  text: contrast(getComputedStyle(document.body).color),
  caption: Math.min(...[...document.querySelectorAll('figcaption, .note, .lead')]
    .map(e => contrast(getComputedStyle(e).color))),
  marks: Math.min(...[...document.querySelectorAll('svg g[fill*="role-3"] text')]
    .map(e => contrast(getComputedStyle(e).fill))),
};""")
    is_dark = ratios["paper"] < 0.2
    require(is_dark == (theme == "dark"), f"asked for {theme}, paper is {ratios['paper']:.2f}")
    # WCAG 2: 4.5 for text.
    for kind in ("text", "caption", "marks"):
        require(ratios[kind] >= 4.5, f"{kind} has a contrast of {ratios[kind]:.1f} in {theme}")


def drawn(browser):
    """The words that the generator shows, once it has ended its search."""
    end = time.monotonic() + 120
    while browser.run("return document.getElementById('words').dataset.state") != "done":
        require(time.monotonic() < end, "the generator goes on searching")
        time.sleep(0.02)
    return browser.run(
        "return [...document.querySelectorAll('#words li bdi')].map(e => e.textContent)")


def sets(browser, identifier, value):
    """Gives a control a value, as a user does."""
    browser.run("""
const [control, value] = [document.getElementById(arguments[0]), arguments[1]];
if (control.type === 'checkbox') control.checked = value;
else control.value = value;
control.dispatchEvent(new Event('input'));""", identifier, value)


def list_of(browser):
    """The words in the page: those that train, and the others."""
    words = network(browser)["words"]
    return set(words["train"].split("\n")) | set(words["others"].split("\n"))


def generates(browser, prefix, is_mixed):
    """The generator makes words as they are asked for, and its self-check passes."""
    check = browser.run(
        "const e = document.getElementById('self-check'); "
        "return [e.className, e.dataset.difference, e.textContent]")
    require(check[0] == "check passed" and float(check[1]) <= 1e-5, f"the self-check says {check}")
    require((network(browser)["counting"] is not None) == is_mixed, "counts, or none, in the page")
    require(("network and counts together" in check[2]) == is_mixed, f"the self-check says {check}")
    first = drawn(browser)
    require(len(first) == 16 and any(first), f"the words are {first}")
    browser.run("document.getElementById('more').click()")
    require(drawn(browser) != first, "the button makes no new words")
    browser.type("#prefix", prefix)
    found = drawn(browser)
    require(all(word.startswith(prefix) for word in found), f"with {prefix}: {found}")
    bars = browser.run(
        "return [...document.querySelectorAll('#bars .share')].map(e => parseFloat(e.textContent))")
    require(len(bars) == 12 and bars == sorted(bars, reverse=True) and sum(bars) <= 100.6,
            f"the bars are {bars}")
    # At a low temperature the likeliest character takes nearly all.
    sets(browser, "temperature", "0.1")
    cold = browser.run("return parseFloat(document.querySelector('#bars .share').textContent)")
    require(cold > bars[0] or cold == 100, f"colder, the first bar goes from {bars[0]} to {cold}")
    sets(browser, "temperature", "1")


def keeps_to_lengths_and_endings(browser):
    """Words have the length and the ending that are asked for; the list's are left out, or marked."""
    known = list_of(browser)
    sets(browser, "prefix", "")
    sets(browser, "suffix", "a")
    sets(browser, "shortest", "5")
    sets(browser, "longest", "7")
    found = drawn(browser)
    require(len(found) == 16 and all(w.endswith("a") and 5 <= len(w) <= 7 for w in found),
            f"of 5 to 7 characters, ending with a: {found}")
    require(not known & set(found), f"words of the list: {known & set(found)}")
    # A temperature at which the list comes back.
    sets(browser, "only-new", False)
    sets(browser, "temperature", "0.3")
    marks = set()
    for _ in range(20):
        browser.run("document.getElementById('more').click()")
        drawn(browser)
        for word, note in browser.run("""
return [...document.querySelectorAll('#words li')].map(
  e => [e.querySelector('bdi').textContent, e.textContent.includes('in the list')])"""):
            require((word in known) == note, f"{word} is marked as in the list: {note}")
            marks.add(note)
    require(True in marks, "no word of the list came back")
    # A search that no word can satisfy ends, and says so.
    sets(browser, "shortest", "9")
    found = drawn(browser)
    line = browser.run("return document.getElementById('search').textContent")
    require(found == [] and "0 of" in line, f"9 to 7 characters long: {found}, {line}")


def cuts(browser):
    """A word without an end is cut at a hundred characters, and the page says so."""
    browser.run("""
document.getElementById('prefix').maxLength = 1000;
for (const [id, value] of [['suffix', ''], ['shortest', '1'], ['longest', '']]) {
  document.getElementById(id).value = value;
}""")
    sets(browser, "prefix", "ma" * 60)
    drawn(browser)
    notes = browser.run(
        "return [...document.querySelectorAll('#words li .note')].map(e => e.textContent)")
    require(any("cut at 100 characters" in note for note in notes), f"the notes are {notes}")


def shown_name(name):
    """A run's name as pages show it: what turns the direction of a line is spelled out."""
    return name.replace("\u202e", "\\u{202e}")


def runs_nothing(browser, words, name):
    """No word became markup: no script ran, no element appeared, and the words are shown as text."""
    require(browser.run("return window.hacked === undefined"), "a word was run")
    elements = browser.run("""
return ['script', 'style', 'img', 'iframe', 'link', 'object'].map(
  tag => document.querySelectorAll(tag).length)""")
    require(elements == [2, 1, 0, 0, 0, 0], f"elements of the page: {elements}")
    shown = shown_name(name)
    require(browser.run("return document.querySelector('h1').textContent") == shown,
            "the run's name does not stand in the heading")
    require(shown in browser.run("return document.title"), "the run's name is not in the title")
    shown = browser.run(
        "return [...document.querySelectorAll('#words-section bdi')].map(e => e.textContent)")
    markup = [word for word in words if "<" in word]
    require(any(word in shown for word in markup), f"no word with markup is shown: {shown}")
    require(set(shown) & set(words) - set(markup), f"no other word is shown: {shown}")
