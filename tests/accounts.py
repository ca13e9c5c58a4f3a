"""Lets a test act as an ordinary account, so that permissions mean something to it also where root runs the tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534
"""The account and the group that own nothing, on every system that portalops runs on."""


@contextmanager
def as_ordinary_user() -> Iterator[Path]:
    """Yield an empty folder of the account that the process acts as meanwhile.

    Root becomes NOBODY; anyone else stays who they are. The folder is not pytest's own, which is closed to
    other accounts; the same may hold for the code, so a test calls what it tries once before it gets here.
    """
    with tempfile.TemporaryDirectory() as name:
        if os.geteuid() != 0:
            yield Path(name)
            return
        os.chown(name, NOBODY, NOBODY)
        group, groups = os.getegid(), os.getgroups()
        os.setgroups([])
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            os.seteuid(0)
            os.setegid(group)
            os.setgroups(groups)
