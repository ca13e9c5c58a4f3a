"""Work ahead: what a generator yields is made by a thread of its own while the pieces before it are still in use."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

PIECES = 4


@contextmanager
def ahead(pieces: Generator[bytes]) -> Iterator[Iterator[bytes]]:
    """Give an iterator over the same pieces, of which so many are made ahead; what the making raises is raised there.

    When the block is left the thread has ended and the generator is closed, and with it what it read from.
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
            pieces.close()
