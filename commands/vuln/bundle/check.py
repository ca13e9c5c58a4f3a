"""Check bundles: who signed them, how old they are, what is in them

Reads every line. Without a file: the bundles of checks.vulnerabilities.bundles.

Example: portalops vuln bundle check; portalops vuln bundle check /media/usb/debian-12.vulnerabilities.jsonl

EXIT STATUS: 0 all are signed by a trusted key and fresh, 1 one is too old, 2 there is no such file, 3 none is
configured, 5 one is refused
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checks.vulnerabilities.bundle import read_bundle
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.vuln.bundle.views import BundleContents, contents_of, header_rows
from portalops.errors import ExitCode, UsageError, VulnerabilityBundleRefused, worst
from portalops.locale import _
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.reports.document import Block, KeyValues, Notice, Tone

if TYPE_CHECKING:
    from checks.vulnerabilities.bundle import Bundle


@shape
class RefusedBundle:
    """A bundle that cannot be used."""

    id: str
    """Its path."""
    refused: str
    """Why, in English."""


@shape
class CheckedBundle(BundleContents):
    """A bundle that can be read."""

    id: str
    """Its path."""
    signed_by: str
    problem: str | None
    """Why no check passes by it, in English."""


def check(
    ctx: typer.Context,
    file: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help=_("Bundles; the configured ones if not given"))
    ] = None,
) -> Result[tuple[RefusedBundle | CheckedBundle, ...]]:
    session = open_session(ctx)
    settings = session.settings.vulnerabilities
    paths = tuple(file or settings.bundles)
    if not paths:
        notice = msg("No bundle is configured: set checks.vulnerabilities.bundles and keys.")
        return Result((), [Notice(notice, Tone.UNSURE)], exit_code=ExitCode.PARTIAL)
    for path in file or ():
        _require_file(path)
    data: list[RefusedBundle | CheckedBundle] = []
    view: list[Block] = []
    codes: list[ExitCode] = []
    for path in paths:
        try:
            seen = read_bundle(path, settings.keys)
        except VulnerabilityBundleRefused as error:
            data.append(RefusedBundle(str(path), str(error.message)))
            view.append(Notice(error.message, Tone.BAD))
            codes.append(error.exit_code)
            continue
        problem = _problem(seen, session.clock.now(), settings.max_age_days)
        data.append(
            CheckedBundle(**contents_of(seen.header), id=str(path), signed_by=seen.signer, problem=_text(problem))
        )
        view.append(KeyValues(((msg("Bundle"), str(path)), *header_rows(seen.header), (msg("Signed by"), seen.signer))))
        if problem is not None:
            view.append(Notice(problem, Tone.BAD))
        codes.append(ExitCode.UNMET if problem else ExitCode.OK)
    return Result(tuple(data), view, exit_code=worst(codes))


def _require_file(path: Path) -> None:
    """Raise a UsageError where a person named no file: that says nothing of a bundle."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(
            msg("cannot read {path}: {cause}", path=show_text(str(path)), cause=cause_of(error)),
            msg("Check the path, and who may read the file."),
        ) from error


def _problem(seen: Bundle, now: datetime, max_age_days: int) -> Message | None:
    age = now - seen.header.as_of
    if age > timedelta(days=max_age_days):
        return msg("The bundle is older than {days} days: no check passes by it.", days=max_age_days)
    if age < -timedelta(days=1):
        return msg("The bundle is of a day that has not come yet: no check passes by it.")
    if seen.header.records == 0 or seen.header.rows == 0:
        return msg("The bundle has no record about its release: no check passes by it.")
    if seen.header.exploited == 0:
        return msg("The bundle has no list of exploited vulnerabilities: patching.cve-exploited does not pass by it.")
    return None


def _text(problem: Message | None) -> str | None:
    return str(problem) if problem else None


VERB = Verb(check)
