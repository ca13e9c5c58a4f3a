"""Who runs this process, on which machine, and whether its clock is kept right."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

_TIME_ERROR = 5
"""What adjtimex(2) returns while the clock is not synchronised."""

_TIMEX_BYTES = 512
"""More than `struct timex` takes on any architecture; zeroed, it asks and sets nothing."""


class LocalSurroundings:
    """This machine and process."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def variable(self, name: str) -> str:
        """Return an environment variable, or nothing."""
        return self._environment.get(name, "")

    def user_id(self) -> int:
        """Return the effective user id."""
        return os.geteuid()

    def host_name(self) -> str:
        """Return the name that the machine gives itself."""
        return socket.gethostname()

    def read(self, path: str) -> str | None:
        """Return a small file's text, or None if it cannot be read."""
        try:
            with Path(path).open("rb") as file:
                return file.read(4096).decode("utf-8", "replace")
        except OSError:
            return None

    def clock_is_synchronised(self) -> bool | None:
        """Return what the kernel knows, by adjtimex(2); None where it cannot be asked."""
        import ctypes  # noqa: PLC0415  # for records alone, which hold it

        try:
            adjtimex = ctypes.CDLL(None).adjtimex
        except (AttributeError, OSError):
            return None
        answer = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
        return None if answer < 0 else answer != _TIME_ERROR
