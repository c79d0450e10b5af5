"""Drives Chromium through chromedriver, over plain HTTP.

W3C WebDriver, and DevTools commands where it has none. Standard library only.
"""

import json
import re
import subprocess
import urllib.error
import urllib.request


class Browser:
    """A headless Chromium that quits at the end of a `with`."""

    def __enter__(self):
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True)
        self._address = f"http://127.0.0.1:{self._port()}"
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars"]
        session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})
        self._session = f"/session/{session['sessionId']}"
        return self

    def __exit__(self, *_):
        try:
            self._call("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(timeout=120)

    def _port(self):
        for line in self._driver.stdout:
            if found := re.search(r"successfully on port (\d+)", line):
                return int(found[1])
        raise RuntimeError("chromedriver did not start")

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._address + path, data=data, method=method,
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=300) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()[:500]) from error

    def devtools(self, command, **parameters):
        return self._call("POST", self._session + "/goog/cdp/execute",
                          {"cmd": command, "params": parameters})

    def show(self, width, theme):
        """Sets the screen width and preferred theme of the pages opened next."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900,
                      deviceScaleFactor=1, mobile=width < 500)
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": theme}])

    def open(self, path):
        """Opens a file, and clears the log."""
        self.logs("browser")
        self.logs("performance")
        self._call("POST", self._session + "/url", {"url": path.resolve().as_uri()})

    def run(self, script, *arguments):
        """The value that a function's body returns."""
        return self._call("POST", self._session + "/execute/sync",
                          {"script": script, "args": arguments})

    def run_async(self, script, *arguments):
        """The value that a function's body passes to its last argument."""
        return self._call("POST", self._session + "/execute/async",
                          {"script": script, "args": arguments})

    def type(self, selector, text):
        element = self._call("POST", self._session + "/element",
                             {"using": "css selector", "value": selector})
        identifier = next(iter(element.values()))
        self._call("POST", f"{self._session}/element/{identifier}/clear", {})
        self._call("POST", f"{self._session}/element/{identifier}/value", {"text": text})

    def logs(self, kind):
        return self._call("POST", self._session + "/se/log", {"type": kind})

    def requests(self):
        """The URLs requested since the page was opened."""
        messages = [json.loads(entry["message"])["message"] for entry in self.logs("performance")]
        return [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent"]

    def screenshot(self):
        """The visible part of the page as a PNG, in base64."""
        return self._call("GET", self._session + "/screenshot")
