"""A real headless Chromium for tests, spoken to over pipes: nothing to install but the browser.

``with Browser(folder) as browser`` starts it; `Browser.open` goes to a page. Keys, clicks and the
size of the screen are those of the browser itself, not simulated in the page.
"""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_KEYS = {
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
    "Home": 36,
    "End": 35,
    "Tab": 9,
    " ": 32,
    "Enter": 13,
}
_WIRE = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4);"
    " os.execv(sys.argv[3], sys.argv[3:])"
)
_PATIENCE = 180
_TEXTS = {" ": " ", "Enter": "\r"}


def found():
    """Return the path of a browser, or skip the test and say why."""
    for name in _NAMES:
        path = shutil.which(name)
        if path:
            return path
    return pytest.skip(f"no browser: none of {', '.join(_NAMES)} is installed")


class Browser:
    """A headless browser with one page."""

    def __init__(self, folder):
        self._path = found()
        self._folder = folder
        self._number = 0
        self._events = []

    def __enter__(self):
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        high = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (theirs_in, theirs_out)]
        command = [self._path, *_FLAGS, f"--user-data-dir={self._folder}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WIRE, *map(str, high), *command],
            pass_fds=high,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for one in (theirs_in, theirs_out, *high):
            os.close(one)
        self._alarm = threading.Timer(_PATIENCE, self._process.kill)
        self._alarm.start()
        self._stream = os.fdopen(self._from, "rb")
        self._session = None
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._ask(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self._session = None
        self._send("Browser.close")
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._alarm.cancel()
        self._stream.close()
        os.close(self._to)

    def _send(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        return self._number

    def _receive(self):
        data = bytearray()
        while (byte := self._stream.read(1)) != b"\0":
            assert byte, "the browser has gone"
            data += byte
        return json.loads(data)

    def _ask(self, method, **parameters):
        number = self._send(method, **parameters)
        while (message := self._receive()).get("id") != number:
            self._events.append(message)
        assert "error" not in message, message["error"]
        return message["result"]

    def open(self, address):
        """Go to a page and wait until it is loaded."""
        self._events.clear()
        self._ask("Page.navigate", url=address)
        while not any(one.get("method") == "Page.loadEventFired" for one in self._events):
            self._events.append(self._receive())

    def screen(self, width, height, *, phone=False, scheme="light"):
        """Set the size of the screen, and whether the user likes light or dark."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._ask("Emulation.setEmulatedMedia", features=[feature])

    def key(self, name):
        """Press and release a key."""
        code = {"key": name, "code": name, "windowsVirtualKeyCode": _KEYS[name]}
        text = {"text": _TEXTS[name]} if name in _TEXTS else {}
        self._ask("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        self._ask("Input.dispatchKeyEvent", type="keyUp", **code)

    def click(self, selector):
        """Scroll an element into view and click its middle."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def run(self, script):
        """Return the value of an expression in the page."""
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition):
        """Wait until an expression in the page is true."""
        script = (
            f"new Promise(done => {{ const look = () => ({condition}) ? done()"
            " : setTimeout(look, 20); look(); })"
        )
        answer = self._ask("Runtime.evaluate", expression=script, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]

    def text(self, selector):
        """Return the text that an element shows."""
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def picture(self):
        """Return what the screen shows, as the bytes of a PNG."""
        return base64.b64decode(self._ask("Page.captureScreenshot")["data"])

    def requests(self):
        """Return the addresses that the page asked for since `open`, those in itself left out."""
        sent = [one for one in self._events if one.get("method") == "Network.requestWillBeSent"]
        addresses = [one["params"]["request"]["url"] for one in sent]
        return [address for address in addresses if not address.startswith("data:")]

    def complaints(self):
        """Return the errors and warnings of the page since `open`."""
        logged = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        return [one["params"] for one in self._events if one.get("method") in logged]
