"""A stop by a signal, held back for the moment in which a program is started: else one that nobody knows of could stay behind.

Python raises KeyboardInterrupt anywhere, also between the fork and the assignment of what is to be ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_held = 0
_is_pending = False
_was_asked = False


def begin() -> None:
    """Forget a stop that was asked for before: another call begins in this process."""
    global _was_asked  # noqa: PLW0603  # as below
    _was_asked = False


def was_asked() -> bool:
    """Say whether a stop was asked for: how threads hear of it, since the interrupt is the main thread's alone."""
    return _was_asked


def stop(_number: int, _frame: FrameType | None) -> None:
    """Stop what the main thread does: the handler of each signal that asks for it."""
    global _is_pending, _was_asked  # noqa: PLW0603  # signals are the process's, and handlers take no object
    _was_asked = True
    if _held:
        _is_pending = True
        return
    raise KeyboardInterrupt


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back a stop until the end of the block, where it is raised; for moments.

    Signals are the main thread's, so that in any other one nothing is held back.

    Raises:
        KeyboardInterrupt: a signal came meanwhile.
    """
    from threading import current_thread, main_thread  # noqa: PLC0415  # 1 ms of the 35 of --version

    global _held, _is_pending  # noqa: PLW0603  # as above
    if current_thread() is not main_thread():
        yield
        return
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        if _is_pending and not _held:
            _is_pending = False
            raise KeyboardInterrupt
