"""A stop that comes while a program is started is held back until it can be ended."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from portalops.system.stopping import held_back, stop


@pytest.fixture(autouse=True)
def handled() -> Iterator[None]:
    previous = signal.signal(signal.SIGTERM, stop)
    yield
    signal.signal(signal.SIGTERM, previous)


def test_a_stop_is_raised_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_stop_that_is_held_back_is_raised_at_the_end_of_the_outermost_block() -> None:
    reached = []

    def start() -> None:
        with held_back():
            with held_back():
                os.kill(os.getpid(), signal.SIGTERM)
                reached.append("inner")
            reached.append("outer")

    with pytest.raises(KeyboardInterrupt):
        start()

    assert reached == ["inner", "outer"]
    with held_back():
        reached.append("nothing is left of it")


def test_a_stop_is_raised_also_where_the_block_ends_in_an_error() -> None:
    def start() -> None:
        with held_back():
            os.kill(os.getpid(), signal.SIGTERM)
            raise ValueError

    with pytest.raises(KeyboardInterrupt):
        start()


def test_another_thread_holds_nothing_back_from_the_main_one() -> None:
    inside, over = threading.Event(), threading.Event()

    def hold() -> None:
        with held_back():
            inside.set()
            over.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(60)
    try:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        over.set()
        thread.join()
