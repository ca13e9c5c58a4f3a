"""Gives up an output that cannot be written, so that Python does not fail on it when it ends."""

from __future__ import annotations

import os
from contextlib import suppress

from portalops.errors import ExitCode


def give_up_output() -> int:
    """Let nothing more be written to standard output, where nothing can be written."""
    give_up(1)
    return int(ExitCode.FAILED)


def give_up(descriptor: int) -> None:
    """Let an output go nowhere, also what is left in its buffer when Python ends."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
