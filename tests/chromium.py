"""A real Chromium, led over its DevTools pipe: what a person sees of a page, prints of it, and what axe-core finds in it.

    with Chromium(tmp_path) as browser:
        page = browser.open(path, width=360)
        assert page.evaluate("document.title") == "…"

What the tests evaluate comes in by the DevTools protocol, which a page's content security policy does not bind: the page itself runs nothing.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from tests.programs import need

_LONGEST = 120.0
"""Seconds that the browser may take for one answer: a long report is printed in less."""


class Chromium:
    """A headless browser with an empty profile; the test is skipped where there is none."""

    def __init__(self, folder: Path) -> None:
        need("chromium")
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        options = (
            "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking"
            " --disable-component-update --disable-sync --no-first-run --remote-debugging-pipe"
        )
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}', "chromium", *options.split(),
             f"--user-data-dir={folder / 'profile'}", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._number = 0
        self._read = b""
        self.said: list[dict[str, Any]] = []
        """What the browser told of itself, such as what a page's policy refused."""

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.ask("Browser.close")
        finally:
            os.close(self._out)
            os.close(self._in)
            self._process.wait(timeout=30)

    def ask(self, method: str, *, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """Return the browser's answer to one request."""
        self._number += 1
        request: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            request["sessionId"] = session
        sent = json.dumps(request).encode() + b"\0"
        while sent:
            sent = sent[os.write(self._out, sent) :]
        until = time.monotonic() + _LONGEST
        while True:
            answer = self._next(until)
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return cast("dict[str, Any]", answer["result"])
            self.said.append(answer)

    def _next(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _out, _err = select.select([self._in], [], [], max(until - time.monotonic(), 0))
            assert ready, "the browser says nothing"
            part = os.read(self._in, 1 << 20)
            assert part, "the browser has ended"
            self._read += part
        one, _zero, self._read = self._read.partition(b"\0")
        return cast("dict[str, Any]", json.loads(one))

    def open(self, path: Path, *, width: int = 1200, dark: bool = False) -> Tab:
        """Show a file in a window of a width in CSS pixels, and wait until it is whole."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session)
        for domain in ("Page", "Log", "Runtime"):
            tab.ask(f"{domain}.enable")
        tab.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        scheme = "dark" if dark else "light"
        tab.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        tab.ask("Page.navigate", url=path.resolve().as_uri())
        until = time.monotonic() + _LONGEST
        while tab.evaluate("document.readyState + ' ' + location.protocol") != "complete file:":
            assert time.monotonic() < until, f"{path} is not whole yet"
            time.sleep(0.02)
        return tab


class Tab:
    """One page that is shown."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session

    def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """Return the browser's answer to one request about this page."""
        return self._browser.ask(method, session=self._session, **parameters)

    def evaluate(self, script: str) -> Any:
        """Return what a script comes to, awaited where it is a promise."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def printed(self) -> bytes:
        """Return the page as PDF, on the paper that its style sheet asks for and with nothing that the browser adds."""
        return base64.b64decode(self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])

    def picture(self) -> bytes:
        """Return the whole page as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True, format="png")["data"])

    def refused(self) -> Sequence[str]:
        """Return what the browser complained of while it showed this page, such as what the policy forbids."""
        return [
            each["params"]["entry"]["text"]
            for each in self._browser.said
            if each.get("sessionId") == self._session and each.get("method") == "Log.entryAdded"
        ]

    def events(self, method: str) -> Sequence[Mapping[str, Any]]:
        """Return what the browser told of this page under a name, such as that it asks for a file."""
        return [
            each["params"]
            for each in self._browser.said
            if each.get("sessionId") == self._session and each.get("method") == method
        ]

    def wait_for(self, method: str) -> Sequence[Mapping[str, Any]]:
        """Return what the browser told under a name, as soon as there is something; nothing after ten seconds."""
        for _ in range(200):
            if found := self.events(method):
                return found
            self.evaluate("new Promise((done) => setTimeout(done, 50))")
        return ()

    def violations(self, axe: str) -> Sequence[str]:
        """Return what axe-core finds wrong: the rule, how bad it is, and the first elements.

        Args:
            axe: its script.
        """
        self.evaluate(f"{axe}\n;0")
        found = self.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(each =>"
            " `${each.id} (${each.impact}): ${each.help}: ${each.nodes.length} x ` +"
            " each.nodes.slice(0, 3).map(node => node.html.slice(0, 160) + ' | ' + node.failureSummary).join('; ')))"
        )
        return cast("list[str]", found)
