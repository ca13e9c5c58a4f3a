"""Test whether the portal's pages answer, for a timer to call

Requests every declared page once and keeps the answers; every six hours they are recorded together. The check
run.availability is judged from these records.

Example: portalops check sample

EXIT STATUS: 0 every page answers, 1 one does not, 3 no page is declared
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checks.servers.declared import Declared
from checks.servers.page_samples import sample as request_pages
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops import bodies
from portalops.errors import ExitCode
from portalops.files import write_atomically
from portalops.json_text import read_json
from portalops.ledger.record import NO_RUN
from portalops.locale import _
from portalops.model.availability import PageSample, PageSamples, SampleBatch
from portalops.model.message import msg, nmsg
from portalops.model.organisation import HostId
from portalops.private_folder import make_private_folder
from portalops.registers.availability import KEY, SAMPLES
from portalops.reports.document import Block, Notice, TableBlock
from portalops.system.locks import locked
from portalops.system.network import SocketNetwork

if TYPE_CHECKING:
    from checks.servers.page_samples import SampledPage

BATCH = timedelta(hours=6)
"""A batch is recorded once its first sample is so old."""

FILE = "samples.jsonl"


@shape
class ShownPage:
    """One page at this moment."""

    host: HostId
    url: str
    status: int
    """Of HTTP; 0 where nothing answered."""
    milliseconds: int


@shape
class TakenSample:
    """One sample of every page."""

    pages: tuple[ShownPage, ...]
    recorded: int
    """How many samples, older ones among them, were recorded now."""


def sample(
    ctx: typer.Context,
    *,
    record: Annotated[bool, typer.Option("--record", help=_("Record at once the answers kept so far"))] = False,
) -> Result[TakenSample]:
    """Take one sample of every page."""
    session = open_session(ctx)
    declared = session.settings.declared.parse(Declared)
    at = session.clock.now()
    seen = request_pages(session.settings.hosts, declared, SocketNetwork(), session.clock.monotonic)
    recorded = put_by(session, at, seen, declared.station or session.circumstances.host, record=record)
    headers = (msg("Host"), msg("Page"), msg("Answer"), msg("Milliseconds"))
    rows = [(each.host, each.url, each.status or "-", each.milliseconds) for each in seen]
    view: list[Block] = [TableBlock(nmsg("{n} page", "{n} pages", len(rows)), headers, rows)]
    if recorded:
        view.append(Notice(nmsg("{n} sample was recorded", "{n} samples were recorded", recorded)))
    pages = tuple(ShownPage(each.host, each.url, each.status, each.milliseconds) for each in seen)
    is_up = all(200 <= each.status < 400 for each in seen)
    code = ExitCode.PARTIAL if not seen else ExitCode.OK if is_up else ExitCode.UNMET
    return Result(TakenSample(pages, recorded), view, exit_code=code)


def put_by(session: Session, at: datetime, seen: Iterable[SampledPage], station: str, *, record: bool) -> int:
    """Keep what was seen, and record it once there are some hours of it; return how many samples were recorded."""
    folder = session.settings.state_folder
    path = folder / FILE
    make_private_folder(folder)
    with locked(folder / "locks" / "samples.lock", holder=session.holder):
        lines = _lines(path)
        lines += [
            json.dumps([at.timestamp(), each.host, each.url, each.status, each.milliseconds], separators=(",", ":"))
            for each in seen
        ]
        batch = batch_of(lines, station)
        if batch is None or not (record or at - batch.began_at >= BATCH):
            write_atomically(path, "".join(f"{line}\n" for line in lines).encode(), mode=0o600)
            return 0
        ledger = session.writable_ledger
        ledger.require_clock()
        body = bodies.write({"circumstances": session.circumstances, KEY: batch})
        ledger.append(SAMPLES, run=NO_RUN, subject=station, body=body)
        # NOTE: after a crash before this the samples are recorded again, which changes no count.
        write_atomically(path, b"", mode=0o600)
        return sum(len(page.samples) for page in batch.pages)


def batch_of(lines: Iterable[str], station: str) -> SampleBatch | None:
    """Make a batch of lines; one that is broken off, as after a full disk, or names no moment is left out. None where there is no sample."""
    read: list[tuple[float, str, str, int, int]] = []
    for line in lines:
        try:
            at, host, url, status, milliseconds = read_json(line)
            datetime.fromtimestamp(at, UTC)
            read.append((float(at), str(host), str(url), int(status), int(milliseconds)))
        except (ValueError, TypeError, OverflowError, OSError):
            continue
    if not read:
        return None
    began = min(each[0] for each in read)
    pages: dict[tuple[str, str], list[PageSample]] = {}
    for at, host, url, status, milliseconds in sorted(read):
        pages.setdefault((host, url), []).append(PageSample(int(at) - int(began), status, milliseconds))
    return SampleBatch(
        station,
        datetime.fromtimestamp(int(began), UTC),
        tuple(PageSamples(HostId(host), url, tuple(found)) for (host, url), found in sorted(pages.items())),
    )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


VERB = Verb(sample)
