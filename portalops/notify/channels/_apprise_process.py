"""Hands one letter to the services of one secret, in a process of its own: a program, not a module. It imports nothing of portalops.

It reads `{"url", "title", "body"}` on standard input, and prints `{"took": [...], "refused": [...]}`: names of services, such as
`mmosts`. It prints nothing else, whatever happens, since errors of the library may show the address.
"""

from __future__ import annotations

import json
import os
import sys

MOST = 10
"""Services of one secret."""


def main() -> int:
    """Send the letter; return 0 if all went its way, whoever took it."""
    asked = json.loads(sys.stdin.buffer.read())
    answer = os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    import apprise  # noqa: PLC0415  # it must not print

    asset = apprise.AppriseAsset(async_mode=False, secure_logging=True, storage_mode=apprise.PersistentStoreMode.MEMORY)
    letters = apprise.Apprise(asset=asset)
    letters.add(asked["url"])
    told: dict[str, list[str]] = {"took": [], "refused": []}
    for service in list(letters)[:MOST]:
        if "overflow=" not in asked["url"]:
            service.overflow_mode = apprise.OverflowMode.SPLIT  # a long letter in several messages, not cut
        try:
            took = service.notify(title=asked["title"], body=asked["body"], body_format=apprise.NotifyFormat.TEXT)
        except Exception:  # noqa: BLE001  # plug-ins raise what they like
            took = False
        shown: str = service.url(privacy=True)  # type: ignore[no-untyped-call]
        name = shown.partition(":")[0]
        told["took" if took else "refused"].append(name)
    os.write(answer, json.dumps(told).encode())
    return 0


if __name__ == "__main__":
    try:
        code = main()
    except BaseException:  # noqa: BLE001  # a trace could show the address
        code = 70
    os._exit(code)
