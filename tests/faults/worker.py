"""The process that is harmed: everything is imported once, and each run is a child that begins there.

Reads one request a line and answers each by one line, both JSON; see `tests.faults.runs`.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portalops.system.clock import SystemClock

FAULT = 99
"""A child's exit code when an exception came out of a command."""


@dataclass(frozen=True, slots=True)
class MovedClock:
    """The machine's clock, some days later: what is to be removed must have been marked for a day at least."""

    ahead: timedelta

    def now(self) -> datetime:
        return SystemClock().now() + self.ahead

    def monotonic(self) -> float:
        return SystemClock().monotonic()


def main() -> None:
    """Answer requests until there are no more."""
    os.environ.pop("LD_PRELOAD", None)
    preload = ctypes.CDLL(None)
    preload.fault_kinds.restype = ctypes.c_char_p
    _import_everything()
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _harmed(request, preload)
        _pid, status = os.waitpid(child, 0)
        print(json.dumps({"status": status}), flush=True)


def _import_everything() -> None:
    import botocore.session  # type: ignore[import-untyped]
    import paramiko  # noqa: F401  # a child is not to spend its time on it

    import commands.app  # noqa: F401  # as above
    from backups.media import MEDIA

    for _ in MEDIA.all():
        pass
    botocore.session.get_session().get_service_model("s3")


def _harmed(request: dict[str, Any], preload: Any) -> None:
    """Do one request in this process, which ends here."""
    from commands.cli.entry import run

    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w")
    tempfile.tempdir = os.environ["TMPDIR"] = request["temporary"]
    preload.fault_arm(
        request["action"], ctypes.c_long(request["number"]), request["error"], os.fsencode(request["place"])
    )
    codes: list[int] = []
    is_whole = False
    try:
        clock = MovedClock(timedelta(days=request["days_later"]))
        codes.extend(run(arguments, {}, clock=clock) for arguments in request["commands"])
        is_whole = True
    except BaseException:  # noqa: BLE001  # told by the process's own end
        traceback.print_exc()
    finally:
        calls = preload.fault_kinds()[: preload.fault_count()]
        preload.fault_arm(0, ctypes.c_long(0), 0, b"")
        sys.stdout.flush()
        sys.stderr.flush()
        with open(request["output"] + ".end", "w", encoding="ascii") as file:
            json.dump({"codes": codes, "calls": calls.decode("ascii")}, file)
        os._exit(0 if is_whole else FAULT)


if __name__ == "__main__":
    main()
