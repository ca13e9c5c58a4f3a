"""The page verify.html in a real Chromium: what is chosen there, and what it says."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from tests.chromium import Chromium, Tab
from tests.verifier.scene import VERIFY_PY, Said

VERIFY_HTML = VERIFY_PY.with_name("verify.html")
LONGEST_SECONDS = 600


class Page:
    """The page, opened once; bundle after bundle is chosen in it."""

    def __init__(self, browser: Chromium, path: Path = VERIFY_HTML, *, width: int = 1200, dark: bool = False) -> None:
        self.tab: Tab = browser.open(path, width=width, dark=dark)

    def put(self, field: str, *files: Path) -> None:
        """Choose files, or the folder of a bundle, in one of the page's fields."""
        self.tab.ask("Page.bringToFront")  # a page that is hidden is told of no folder
        expression = f"document.getElementById({json.dumps(field)})"
        found = self.tab.ask("Runtime.evaluate", expression=expression)["result"]["objectId"]
        self.tab.ask("DOM.setFileInputFiles", files=[str(file.resolve()) for file in files], objectId=found)

    def verify(self, bundle: Path) -> tuple[Said, list[str]]:
        """Choose a bundle; return what the page comes to, and the faults that it lists."""
        self.tab.evaluate("delete document.getElementById('result').dataset.exitCode")
        self.put("zip" if bundle.is_file() else "folder", bundle)
        return self.said()

    def said(self) -> tuple[Said, list[str]]:
        """Wait for the verdict; return it and the faults."""
        until = time.monotonic() + LONGEST_SECONDS
        while (code := self.tab.evaluate("document.getElementById('result').dataset.exitCode ?? null")) is None:
            assert time.monotonic() < until, "the page comes to no end"
            time.sleep(0.01)
        if code in {"2", "70"}:
            return Said(int(code)), [self.text("result")]
        data = self.data()
        integrity, complete = data["integrity"], data["completeness"]
        said = Said(
            int(code),
            integrity["holds"],
            integrity["first_bad"],
            complete["holds"],
            tuple(sorted((each["job"], each["slot"]) for each in complete["missing"])),
            tuple(sorted(each["seq"] for each in complete["crashed"])),
            tuple(complete["unbegun"]),
            frozenset(integrity["not_compared"]),
            tuple(complete["waivers"]),
            tuple(complete["unread_waivers"]),
        )
        return said, [f"{each['seq']}: {each['what']}" for each in integrity["faults"]]

    def data(self) -> dict[str, Any]:
        """Return the result as JSON, as the page shows it."""
        return cast("dict[str, Any]", json.loads(self.tab.evaluate("document.getElementById('json').textContent")))

    def drag(self, *files: Path) -> None:
        """Drag files or folders onto the middle of the page, and drop them."""
        self.tab.ask("Page.bringToFront")
        dragged = {"items": [], "files": [str(file.resolve()) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.tab.ask("Input.dispatchDragEvent", type=kind, x=300, y=300, data=dragged)

    def text(self, field: str) -> str:
        """Return what stands in an element."""
        return cast("str", self.tab.evaluate(f"document.getElementById({json.dumps(field)}).innerText"))

    def press(self, keys: Sequence[str]) -> None:
        """Press keys, one after the other."""
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        for key in keys:
            text = {"Enter": "\r", " ": " "}.get(key, "")
            event = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key], "text": text}
            self.tab.ask("Input.dispatchKeyEvent", type="keyDown", **event)
            self.tab.ask("Input.dispatchKeyEvent", type="keyUp", **event)
