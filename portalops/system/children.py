"""A long-lived process's children: one program at a time, whose crash or flood of output does its parent no harm."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from portalops.system.stopping import held_back

CLEAN_STOP_SECONDS = 60.0
"""How long a child that is asked to stop may take to end what it does in order."""
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class ChildEnd:
    """How a child ended."""

    exit_code: int
    """Its own; negative for the signal that ended it, 127 where it could not be started."""
    stdout: bytes
    """The beginning of its standard output."""


def run_child(
    argv: Sequence[str], environment: Mapping[str, str], *, limit_bytes: int, stop_seconds: float = CLEAN_STOP_SECONDS
) -> ChildEnd:
    """Run a program to its end, whatever time that takes; its standard error is this process's.

    An interrupt of this process asks the child and all that it started to stop, and is raised again when they have, or were
    killed since that took longer than `stop_seconds`.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        with held_back():
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                env=dict(environment),
                start_new_session=True,
            )
        said = _beginning(process, limit_bytes)
        return ChildEnd(process.wait(), said)
    except BaseException as error:  # an interrupt, which a session of its own does not get: it must not go on alone
        if process is None:
            if isinstance(error, OSError):
                return ChildEnd(127, str(error).encode())
            raise
        with process:  # closes its pipe and waits
            _stop(process, stop_seconds)
            raise


def _beginning(process: subprocess.Popen[bytes], limit_bytes: int) -> bytes:
    """Read all of the output, and return its beginning: a child that nobody listens to would wait for ever."""
    assert process.stdout is not None
    kept = bytearray()
    while chunk := process.stdout.read(_CHUNK_BYTES):
        kept += chunk[: max(0, limit_bytes - len(kept))]
    process.stdout.close()
    return bytes(kept)


def _stop(process: subprocess.Popen[bytes], seconds: float) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(seconds)
    except BaseException as error:  # it takes too long, or whoever waits has lost patience
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
