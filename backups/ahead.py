"""Work ahead: what an iterator yields is made by a thread of its own while the pieces before it are still in use."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

PIECES = 4


@contextmanager
def ahead(pieces: Iterator[bytes]) -> Iterator[Iterator[bytes]]:
    """Give an iterator over the same pieces, of which so many are made ahead; what the making raises is raised there.

    The thread has ended when the block is left, so that whatever it read from can be closed.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        waiting = deque(pool.submit(next, pieces, None) for _number in range(PIECES))

        def taken() -> Iterator[bytes]:
            while (piece := waiting.popleft().result()) is not None:
                waiting.append(pool.submit(next, pieces, None))
                yield piece

        try:
            yield taken()
        finally:
            pool.shutdown(cancel_futures=True)
