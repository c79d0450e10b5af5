"""Opens docs/gradcheck.html in Chromium: its verdicts are gradcheck's, lines can be practised, all by keyboard.

It uses the latest build of `gradcheck` (or CHARMLP_GRADCHECK), chromium and chromedriver. Without a browser it says
so and succeeds; in continuous integration it fails. `--pictures DIRECTORY` keeps pictures of the page.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import checks
import notebooks
from checks import require
from exercise import HOSTILE_LINES, OTHER_RIGHT_LINES, RIGHT_LINES, REFUSED_LINES, WRONG_LINES
from webdriver import Browser

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "gradcheck.html"
WIDTHS = (1280, 390)
THEMES = ("light", "dark")


def main():
    missing = [tool for tool in ("chromium", "chromedriver") if not shutil.which(tool)]
    if missing and not os.environ.get("CI"):
        print(f"skipped: there is no {', '.join(missing)}; make chromium installs them")
        return
    require(not missing, f"there is no {', '.join(missing)}")
    pictures = Path(sys.argv[2]) if sys.argv[1:2] == ["--pictures"] else None
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, Browser() as browser:
        browser.show(1280, "light")
        browser.open(PAGE)
        counts = [check(browser, Path(directory)) for check in (
            judges_as_gradcheck, refuses_as_gradcheck, says_what_gradcheck_says, is_quick,
            takes_right_lines, takes_other_right_lines, takes_the_whole_exercise, blames_wrong_lines,
            refuses_other_lines, survives_hostile_lines, shows_its_own_failures, keeps_lines, works_by_keyboard)]
        counts.append(reads_well_everywhere(browser, Path(directory), pictures))
        prints(browser, Path(directory))
    print(f"{sum(counts)} checks of docs/gradcheck.html in {time.monotonic() - started:.0f} s: all passed")


# Files

def gradcheck(*arguments):
    builds = [ROOT / ".build" / mode / "gradcheck" for mode in ("release", "debug")]
    found = [build for build in builds if build.exists()]
    require(found or "CHARMLP_GRADCHECK" in os.environ, "there is no build of gradcheck; run swift build first")
    command = os.environ.get("CHARMLP_GRADCHECK") or max(found, key=lambda build: build.stat().st_mtime)
    return subprocess.run([command, *map(str, arguments)], capture_output=True, text=True, timeout=600)


# A file as the system hands it to a page, and what became of it: the verdicts as `gradcheck --json` has them.
_DROP = """
const verdictsAsJSON = ({ lines, cause }) => ({
  cause,
  verdicts: lines.map((line) => ({
    name: line.name, verdict: line.kind,
    follows_from: isMisfit(line) && line.from.length === 0 && cause ? [cause] : line.from, hint: line.hint,
  })),
});
const [text, name] = arguments;
const done = arguments[arguments.length - 1];
const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], name));
const place = document.getElementById("outcome");
const observer = new MutationObserver(() => {
  observer.disconnect();
  const message = place.querySelector(".message");
  done(message ? { error: message.textContent } : {
    ...verdictsAsJSON(app.file), ignored: app.file.reference.ignored, passed: hasPassed(app.file),
    scalar: app.file.reference.precision.name });
});
observer.observe(place, { childList: true });
place.replaceChildren();
observer.takeRecords();
document.getElementById("drop").dispatchEvent(
  new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
"""


def drop(browser, bytes_, name="notebook.safetensors"):
    return browser.run_async(_DROP, base64.b64encode(bytes_).decode(), name)


def compare(browser, directory, bytes_, description):
    """What the page says of a file is what the command says."""
    path = directory / "notebook.safetensors"
    path.write_bytes(bytes_)
    found, outcome = drop(browser, bytes_), gradcheck("--reference", path, "--json")
    if outcome.returncode == 65:
        message, advice = outcome.stderr.splitlines()
        message = message.removeprefix(f"gradcheck: {path}: ")
        if message == "not a safetensors file":
            message += ": " + advice
        if message.startswith("not a safetensors file, but "):
            # The command knows other formats by their first bytes; the page says what is wrong with the header.
            require("not a safetensors file: " in found.get("error", ""), f"{description}: the page says {found}")
            return found
        expected = {"error": f"{path.name}: {message}"}
        if "…" in advice and "error" in found:
            # The terminal's line is cut.
            expected["error"] = found["error"]
            require(found["error"].endswith(advice.split("…")[1]), f"{description}: {found} is not {advice}")
        require(found == expected, f"{description}: the page says {found}, gradcheck {expected}")
        return expected
    require(outcome.returncode in (0, 1), f"{description}: {outcome.stderr}")
    expected = json.loads(outcome.stdout)
    require("error" not in found, f"{description}: {found}")
    for key in ("cause", "ignored", "passed", "scalar"):
        require(found[key] == expected[key], f"{description}: {key} is {found[key]}, not {expected[key]}")
    for ours, theirs in zip(found["verdicts"], expected["verdicts"], strict=True):
        require(ours == theirs, f"{description}: the page says {ours}, gradcheck {theirs}")
    return expected


def judges_as_gradcheck(browser, directory):
    count = 0
    for name, blamed, notebook in notebooks.cases():
        verdicts = compare(browser, directory, notebook.encoded(), name)
        found = [line["name"] for line in verdicts["verdicts"] if line["verdict"] in ("here", "shape")]
        require(([verdicts["cause"]] if verdicts["cause"] else found) == blamed, f"{name}: {found} is blamed")
        count += 1
    for seed in range(12):
        n, dtype = (2, 3, 32, 64)[seed % 4], ("F32", "F64")[seed // 4 % 2]
        notebook = notebooks.Notebook(seed, n=n, hidden=20, embedding=4, vocabulary=11, dtype=dtype)
        verdicts = compare(browser, directory, notebook.encoded(), f"seed {seed}")
        require(verdicts["passed"], f"seed {seed} is wrong")
        count += 1
    for description, notebook in [*notebooks.planted(), *notebooks.odd()]:
        compare(browser, directory, notebook.encoded(), description)
        count += 1
    return count


def refuses_as_gradcheck(browser, directory):
    count = 0
    for number, bytes_ in enumerate(notebooks.hostile()):
        found = compare(browser, directory, bytes_, f"hostile file {number}")
        require("error" in found, f"hostile file {number} is accepted")
        count += 1
    for number, bytes_ in enumerate(notebooks.mutants(120)):
        compare(browser, directory, bytes_, f"mutant {number}")
        count += 1
    drop(browser, b"", "<img src=x onerror=hacked=1>.safetensors")
    require(browser.run("return window.hacked === undefined"), "a name was run")
    require(browser.run("return document.querySelectorAll('img, iframe, object').length") == 0, "a name is markup")
    return count + 1


def says_what_gradcheck_says(browser, directory):
    """What is printed for people stands on the page, word for word."""
    for name, _, notebook in notebooks.cases():
        path = directory / "notebook.safetensors"
        path.write_bytes(notebook.encoded())
        drop(browser, notebook.encoded())
        shown = " ".join(browser.run("return document.getElementById('outcome').innerText").split())
        for sign in "✓✗▲↳○≈":
            shown = shown.replace(sign + " ", "")
        lines = gradcheck("--reference", path).stdout.split("\n", 2)[2]
        printed = " ".join(lines.split())
        # Names are a list on the page, and stand in a row in the terminal.
        plain = lambda text: text.replace(",", "")
        require(plain(printed) == plain(shown), f"{name}: the page shows\n{shown}\nand gradcheck prints\n{printed}")
    return 15


def processor_time(browser):
    """The seconds that the page has used since devtools' clock was started."""
    metrics = browser.devtools("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def is_quick(browser, directory):
    """32 windows and 200 units take less than a second of processor time, whatever else the machine does."""
    notebook = notebooks.Notebook(3, hidden=200, changes={
        "dcounts": lambda t: notebooks.times(t["counts_sum_inv"], t["dprobs"])})
    browser.devtools("Performance.enable", timeDomain="threadTicks")
    before = processor_time(browser)
    found = drop(browser, notebook.encoded())
    seconds = processor_time(browser) - before
    browser.devtools("Performance.disable")
    require([line["name"] for line in found["verdicts"] if line["verdict"] == "here"] == ["dcounts"], "not dcounts")
    require(0.01 < seconds < 1, f"judging took {seconds:.2f} s")
    return 1


# Practice

def wait_until(browser, condition, message):
    """Waits for what the page does in its own time."""
    for _ in range(600):
        if browser.run(f"return {condition}"):
            return
        time.sleep(0.1)
    raise checks.Failure(message)


def start_over(browser):
    browser.run("""
localStorage.clear();
document.getElementById("tab-practice").click();
app.practice.reset();
startPractice();
render();""")


_TYPE = """
const [name, text] = arguments;
const done = arguments[arguments.length - 1];
choose(name, true);
const field = document.getElementById("cell");
field.select();
document.execCommand("insertText", false, text);
setTimeout(() => done({
  verdict: app.practice.result.lines.find((line) => line.name === name),
  message: document.querySelector("#cell-message.error")?.textContent ?? null,
  marked: document.querySelectorAll("#detail-result td.off").length,
  elements: document.querySelectorAll("#detail-result .numbers .matrix:last-child td").length,
  shown: document.getElementById("detail-result").innerText,
  done: document.getElementById("progress").value,
  badge: document.querySelector("#detail-head .badge").className,
}), 200);
"""


def paste(browser, name, text):
    """Puts lines into a tensor's cell, as pasting does, and says what became of them."""
    return browser.run_async(_TYPE, name, text)


def takes_right_lines(browser, _):
    """Each of the 26, by keys and pasted as the exercise has it, is right and agrees with central differences."""
    start_over(browser)
    for number, (name, text) in enumerate(RIGHT_LINES.items(), 1):
        found = paste(browser, name, text)
        require(found["message"] is None, f"{name}: {found['message']}")
        require(found["verdict"]["kind"] == "right", f"{name} is {found['verdict']}")
        require(found["marked"] == 0 and found["elements"] > 0, f"{name}: {found['marked']} elements differ")
        require(found["done"] == number, f"{number} are right, the page says {found['done']}")
    require("All 26" in browser.run("return document.getElementById('progress-text').textContent"), "not all")
    start_over(browser)
    for name in browser.run("return GRADIENTS"):
        found = paste(browser, name, browser.run("return NOTEBOOK_LINES.get(arguments[0])", name))
        require(found["verdict"]["kind"] == "right" and found["marked"] == 0, f"the answer of {name} is {found}")
    # By keys: a line that ends in a colon indents the next.
    start_over(browser)
    for name, text in RIGHT_LINES.items():
        browser.run("choose(arguments[0], true)", name)
        browser.type("#cell", "\n".join(line.lstrip() for line in text.split("\n")))
    wait_until(browser, "app.practice.done === 26", "typed, not all are right")
    return 26 * 3


def takes_other_right_lines(browser, _):
    """The same mathematics in other words of PyTorch."""
    for name, text in OTHER_RIGHT_LINES:
        start_over(browser)
        found = paste(browser, name, text)
        require(found["message"] is None, f"{text}: {found['message']}")
        require(found["verdict"]["kind"] == "right" and found["marked"] == 0, f"{text}: {found['verdict']}")
    return len(OTHER_RIGHT_LINES)


def takes_the_whole_exercise(browser, _):
    """All of it in one cell, and only one of the last: what is not written is ours."""
    start_over(browser)
    found = paste(browser, "dlogprobs", "\n".join(RIGHT_LINES.values()))
    require(found["done"] == 26, f"all in one cell: {found}")
    start_over(browser)
    found = paste(browser, "dhprebn", RIGHT_LINES["dhprebn"])
    require(found["verdict"]["kind"] == "right" and found["done"] == 1, f"alone: {found}")
    require("ours: dbndiff, dbnmeani" in found["shown"], f"alone: {found['shown']}")
    return 2


def blames_wrong_lines(browser, _):
    start_over(browser)
    for name, text in RIGHT_LINES.items():
        paste(browser, name, text)
    for name, text, kind, hint in WRONG_LINES:
        found = paste(browser, name, text)
        require(found["message"] is None, f"{text}: {found['message']}")
        require(found["verdict"]["kind"] == kind, f"{text}: {found['verdict']}")
        require(hint in found["shown"], f"{text}: {found['shown']}, not {hint}")
        require(kind == "shape" or found["marked"] > 0, f"{text}: no element differs")
        faults = browser.run("return app.practice.result.lines.filter(isFault).map((line) => line.name)")
        require(faults == [name], f"{text}: {faults} are blamed")
        paste(browser, name, RIGHT_LINES[name])
    # Another forward pass: a biased variance with its own derivative is one fault.
    paste(browser, "bnvar", "bnvar = 1/n*(bndiff2).sum(0, keepdim=True)")
    found = paste(browser, "dbndiff2", "dbndiff2 = (1.0/n)*torch.ones_like(bndiff2) * dbnvar")
    faults = browser.run("return app.practice.result.lines.filter(isFault).map((line) => line.name)")
    require(faults == ["bnvar"] and found["marked"] == 0, f"of a biased variance {faults} are blamed")
    return len(WRONG_LINES) + 1


def refuses_other_lines(browser, _):
    start_over(browser)
    for text, message in REFUSED_LINES:
        found = paste(browser, "dprobs", text)
        require(found["message"] is not None and message in found["message"], f"{text}: {found['message']}")
    return len(REFUSED_LINES)


def survives_hostile_lines(browser, _):
    """Lines that are too much are refused within a second or so, and no older verdict stays."""
    start_over(browser)
    browser.devtools("Performance.enable", timeDomain="threadTicks")
    for name, text, message in HOSTILE_LINES:
        short = f"{name}: {text[:60]!r}"
        found = paste(browser, name, RIGHT_LINES[name])
        require(found["verdict"]["kind"] == "right", f"before {short}: {found['verdict']}")
        before = processor_time(browser)
        found = paste(browser, name, text)
        seconds = processor_time(browser) - before
        require(found["message"] is not None and message in found["message"], f"{short}: {found['message']}")
        require(found["verdict"]["kind"] != "right" and "right" not in found["badge"], f"{short} is right")
        require(found["done"] == 0, f"{short}: {found['done']} are right")
        require(seconds < 1.5, f"{short} takes {seconds:.1f} s")
    # A forward line that is slow, but not too slow by itself, is run once for each central difference.
    before = processor_time(browser)
    paste(browser, "h", "for i in range(5000): h = torch.tanh(hpreact)")
    shown = paste(browser, "dW1", RIGHT_LINES["dW1"])["shown"]
    seconds = processor_time(browser) - before
    require("take too long" in shown and seconds < 3, f"a slow forward line: {seconds:.1f} s, {shown}")
    browser.devtools("Performance.disable")
    # What was kept is refused again when the page is opened.
    start_over(browser)
    name, text, message = HOSTILE_LINES[0]
    paste(browser, name, text)
    browser.open(PAGE)
    browser.run("document.getElementById('tab-practice').click(); choose(arguments[0])", name)
    shown = browser.run("return document.getElementById('cell-message').textContent")
    require(message in shown, f"after opening the page again it says {shown}")
    return len(HOSTILE_LINES) + 2


def shows_its_own_failures(browser, _):
    """If the page itself fails, wherever it does, that is shown in place of a verdict."""
    for place in ("NotebookParser.parse", "NotebookRunner.prototype.value", "Practice.prototype.judge"):
        browser.open(PAGE)
        start_over(browser)
        paste(browser, "dh", RIGHT_LINES["dh"])
        browser.run(f"{place} = () => {{ throw new RangeError('planted'); }}")
        found = paste(browser, "dh", "dh = 2 * dlogits @ W2.T")
        require("planted" in (found["message"] or ""), f"a failure of {place}: {found['message']}")
        require("right" not in found["badge"] and found["done"] == 0, f"a failure of {place}: {found['verdict']}")
    browser.open(PAGE)
    return 3


def keeps_lines(browser, _):
    start_over(browser)
    paste(browser, "dlogprobs", RIGHT_LINES["dlogprobs"])
    browser.open(PAGE)
    browser.run("document.getElementById('tab-practice').click()")
    kept = browser.run("return [app.practice.cells.get('dlogprobs'), document.getElementById('progress').value]")
    require(kept == [RIGHT_LINES["dlogprobs"], 1], f"after opening the page again there is {kept}")
    require(browser.run("return app.chosen") == "dprobs", "the next line is not chosen")
    # The first click asks, the second deletes.
    button = "document.getElementById('reset').click();"
    browser.run(button)
    require(browser.run("return app.practice.done") == 1, "deleted without asking")
    browser.run(button)
    require(browser.run("return app.practice.done") == 0, "not deleted")
    return 1


# Keyboard and screen reader

def press(browser, key, modifiers=0):
    codes = {"Tab": 9, "Enter": 13, "ArrowRight": 39, "ArrowLeft": 37, "ArrowDown": 40, "End": 35, "Home": 36, " ": 32}
    text = {"Enter": "\r", " ": " "}.get(key)
    for kind in ("keyDown", "keyUp"):
        extra = {"text": text} if text and kind == "keyDown" else {}
        browser.devtools("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=codes[key],
                         modifiers=modifiers, **extra)


_FOCUS = """
const e = document.activeElement;
const box = e.getBoundingClientRect();
const style = getComputedStyle(e);
return { id: e.id, tag: e.tagName.toLowerCase(), name: e.dataset?.name ?? null,
  width: box.width, text: (e.getAttribute("aria-label") ?? e.textContent).trim().slice(0, 60) };
"""


def tab_to(browser, wanted, limit=90):
    for _ in range(limit):
        press(browser, "Tab")
        focus = browser.run(_FOCUS)
        if wanted(focus):
            return focus
    raise checks.Failure(f"the Tab key does not get there: {focus}")


def works_by_keyboard(browser, directory):
    start_over(browser)
    browser.open(PAGE)
    tab_to(browser, lambda focus: focus["id"] == "tab-file")
    tab_to(browser, lambda focus: focus["id"] == "file")
    browser.run("document.getElementById('tab-file').focus()")
    press(browser, "ArrowRight")
    require(browser.run("return app.mode") == "practice", "an arrow key does not change the tab")
    tab_to(browser, lambda focus: focus["id"] == "next")
    press(browser, "Enter")
    require(browser.run(_FOCUS)["id"] == "cell", "Enter on Next line does not lead to the cell")
    for line in RIGHT_LINES["dlogprobs"].split("\n"):
        browser.devtools("Input.insertText", text=line)
        press(browser, "Enter")
    wait_until(browser, "app.practice.kind('dlogprobs') === 'right'", "typed by keyboard, it is not right")
    press(browser, "Tab")
    require(browser.run(_FOCUS)["id"] != "cell", "the Tab key does not leave the cell")
    # The picture is one stop; arrows walk along it.
    browser.run("document.getElementById('reset').focus()")
    tab_to(browser, lambda focus: focus["name"] is not None)
    press(browser, "Home")
    require(browser.run(_FOCUS)["name"] == "C", "Home is not C")
    for _ in range(7):
        press(browser, "ArrowRight")
    require(browser.run(_FOCUS)["name"] == "emb", "seven further is not emb")
    press(browser, "End")
    require(browser.run(_FOCUS)["name"] == "dC", "End is not dC")
    press(browser, "Enter")
    require(browser.run(_FOCUS)["id"] == "cell" and browser.run("return app.chosen") == "dC", "Enter opens nothing")
    tab_to(browser, lambda focus: focus["tag"] == "summary" and "answer" in focus["text"])
    press(browser, "Enter")
    answer = "document.querySelector('details.answer')"
    wait_until(browser, f"{answer}.open && {answer}.innerText.includes('index_put_')", "the answer stays closed")
    require(browser.run(f"return {answer}.querySelectorAll('math').length") > 0, "no formulas")
    # Everything that can be reached has a name.
    nodes = browser.devtools("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "textbox", "tab", "link", "checkbox", "progressbar", "group", "region")
    for node in nodes:
        role = node.get("role", {}).get("value")
        name = node.get("name", {}).get("value", "")
        focusable = any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", []))
        require(name or not (focusable and role in roles), f"a {role} has no name: {node.get('backendDOMNodeId')}")
    labels = [node["name"]["value"] for node in nodes if node.get("role", {}).get("value") == "button"]
    require(any(label.startswith("dlogprobs, (4, 3): right") for label in labels), "states have no words")
    return 12


# How it looks

_CONTRAST = """
const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgb = (color) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const contrast = (a, b) => {
  const [x, y] = [luminance(rgb(a)), luminance(rgb(b))].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
};
const behind = (e) => {
  for (; e; e = e.parentElement) {
    const color = getComputedStyle(e).backgroundColor;
    if (rgb(color)[3] === 255) return color;
  }
  return "#fff";
};
const low = [];
for (const e of document.querySelectorAll("main p, main td, main th, .badge, button, summary, figcaption, dt, pre, a, h1, h2, footer p")) {
  if (!e.textContent.trim() || !e.getClientRects().length) continue;
  const ratio = contrast(getComputedStyle(e).color, behind(e));
  if (ratio < 4.5) low.push([e.className || e.tagName, e.textContent.slice(0, 30), ratio]);
}
for (const part of document.querySelectorAll("svg .tensor")) {
  const half = getComputedStyle(part.querySelector(".half")).fill;
  const card = getComputedStyle(part.parentNode.querySelector(".card")).fill;
  const back = half === "none" || rgb(half)[3] < 255 ? card : half;
  for (const text of part.querySelectorAll("text")) {
    const ratio = contrast(getComputedStyle(text).fill, back);
    if (text.textContent && ratio < 4.5) low.push([part.dataset.name, text.textContent, ratio]);
  }
}
return { low, paper: luminance(rgb(getComputedStyle(document.body).backgroundColor)) };
"""


def reads_well_everywhere(browser, directory, pictures):
    count = 0
    cases = {name: notebook for name, _, notebook in notebooks.cases()}
    cases["sparse"] = notebooks.Notebook(4, changes={"dh": lambda t: notebooks.times(notebooks.LINES["dh"](t), 2)})
    cases["sparse"].left_out = {"dprobs", "dcounts", "h", "bnvar", "dbngain"}
    for width in WIDTHS:
        for theme in THEMES:
            browser.show(width, theme)
            for name in ("two", "keepdim", "updated", "sparse", "right", "practice", "nothing"):
                browser.open(PAGE)
                if name == "practice":
                    start_over(browser)
                    for tensor in list(RIGHT_LINES)[:9]:
                        paste(browser, tensor, RIGHT_LINES[tensor])
                    paste(browser, "dcounts", "dcounts = counts_sum_inv * dprobs")
                elif name != "nothing":
                    drop(browser, cases[name].encoded())
                browser.run("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
                wait_until(browser, "[...document.querySelectorAll('details.answer')].every((e) => "
                           "e.querySelector('p'))", "an answer stays empty")
                found = browser.run(_CONTRAST)
                require((found["paper"] < 0.2) == (theme == "dark"), f"asked for {theme}: {found['paper']}")
                require(not found["low"], f"{name}, {theme}: too little contrast: {found['low'][:5]}")
                checks.is_calm(browser, PAGE)
                if pictures:
                    pictures.mkdir(parents=True, exist_ok=True)
                    image = browser.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
                    (pictures / f"{name}-{width}-{theme}.png").write_bytes(base64.b64decode(image["data"]))
                count += 1
            overlaps = browser.run("""
const boxes = [...document.querySelectorAll("svg .node .card")].map((e) => e.getBoundingClientRect());
return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length;""")
            require(overlaps == 0, f"{overlaps} nodes lie on one another at {width}")
    return count


def prints(browser, directory):
    browser.show(1280, "light")
    browser.open(PAGE)
    drop(browser, next(notebook for name, _, notebook in notebooks.cases() if name == "two").encoded())
    browser.devtools("Emulation.setEmulatedMedia", media="print")
    shown = browser.run("""
return ["#graph svg", "#outcome", "#list", "#drop", ".tabs", "#copy"].map(
  (selector) => document.querySelector(selector).getClientRects().length > 0)""")
    require(shown == [True, True, True, False, False, False], f"printed are {shown}")
    document = base64.b64decode(browser.devtools("Page.printToPDF", printBackground=True)["data"])
    require(document.startswith(b"%PDF") and len(document) > 10_000, "there is no print")
    browser.devtools("Emulation.setEmulatedMedia", media="")


if __name__ == "__main__":
    try:
        main()
    except checks.Failure as failure:
        sys.exit(f"gradcheck_page: {failure}")
