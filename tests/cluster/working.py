"""Workers in this process: what comes into a portal's queue is done as a worker does it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.jobs.part_work import do_part
from portalops.cluster.parts import PartRequest, read_request
from portalops.cluster.queue import _TABLE
from portalops.errors import Locked
from tests.cluster.parts import SECRETS, Portal


def session_of(portal: Portal) -> Session:
    return Session(Invocation(("worker",), portal.configuration), SECRETS)


@contextmanager
def working(portal: Portal, threads: int = 4) -> Iterator[list[PartRequest]]:
    """Do what comes into the queue, as workers do, until the block ends; yields what was done."""
    done: list[PartRequest] = []
    stop = threading.Event()
    session = session_of(portal)

    def take() -> None:
        while not stop.is_set():
            row = portal.sql(
                f"DELETE FROM {_TABLE} WHERE id = (SELECT id FROM {_TABLE} ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
                " RETURNING encode(payload, 'hex')"
            )
            wish = read_request(bytes.fromhex(row)) if row else None
            while wish is not None:
                try:
                    do_part(session, wish, "a part of w1")
                    done.append(wish)
                    break
                except Locked:
                    time.sleep(0.1)
            time.sleep(0.05)

    with ThreadPoolExecutor(threads) as pool:
        began = [pool.submit(take) for _thread in range(threads)]
        try:
            yield done
        finally:
            stop.set()
    for each in began:
        each.result()
    session.writable_ledger.close()
