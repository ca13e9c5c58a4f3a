"""Build a signed bundle for each release

Reads files that were fetched by any means and fetches none: OSV's all.zip of the ecosystems, the JSON of Debian's
security tracker, CISA's list of exploited vulnerabilities, FIRST's EPSS scores and a table of supported versions.
What is damaged, cut short or of another form ends it, and nothing is written.

Example: portalops vuln bundle build --osv Debian.zip --kev known_exploited_vulnerabilities.json --release debian:12
--output /media/usb --key signing.key

EXIT STATUS: 0 written, 2 wrong usage, or a file is not what it must be, 78 there is no signing key
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checks.vulnerabilities.build import Inputs, built
from checks.vulnerabilities.bundle import SUFFIX, read_bundle, signature_of
from checks.vulnerabilities.releases import SYSTEMS, release_named
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.vuln.bundle.options import OptionalFile
from commands.vuln.bundle.views import BundleContents, contents_of, header_rows
from portalops.errors import UsageError, VulnerabilityBundleRefused, VulnerabilityDataRefused
from portalops.files import write_atomically
from portalops.locale import _
from portalops.model.causes import cause_of
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.reports.document import Block, KeyValues, Paragraph
from portalops.signatures.sshsig import SigningKey, fingerprint

if TYPE_CHECKING:
    from checks.vulnerabilities.bundle import Header
    from checks.vulnerabilities.releases import Release


@shape
class BuiltBundle(BundleContents):
    """A bundle that was written."""

    file: str
    signed_by: str


def build(
    ctx: typer.Context,
    *,
    osv: Annotated[list[Path], typer.Option(metavar="FILE", help=_("OSV's all.zip of an ecosystem; may be repeated"))],
    release: Annotated[
        list[str], typer.Option(metavar="NAME", help=_("Such as debian:12, ubuntu:24.04, almalinux:9; may be repeated"))
    ],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help=_("Where the bundles and their signatures go"))],
    debian_tracker: Annotated[
        OptionalFile, typer.Option(metavar="FILE", help=_("JSON of Debian's security tracker"))
    ] = None,
    kev: Annotated[
        OptionalFile, typer.Option(metavar="FILE", help=_("CISA's list of exploited vulnerabilities, JSON"))
    ] = None,
    epss: Annotated[OptionalFile, typer.Option(metavar="FILE", help=_("FIRST's EPSS scores, csv.gz"))] = None,
    support: Annotated[
        OptionalFile, typer.Option(metavar="FILE", help=_("Table of supported runtimes and least versions, TOML"))
    ] = None,
    key: Annotated[
        OptionalFile,
        typer.Option(metavar="FILE", help=_("Private key that signs; signing.key of the configuration if not given")),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help=_("When the files were fetched; if not given, the oldest file's time of change")
        ),
    ] = None,
    accept_shrink: Annotated[
        bool, typer.Option("--accept-shrink", help=_("Write a bundle that has far fewer records than the one before"))
    ] = False,
) -> Result[tuple[BuiltBundle, ...]]:
    session = open_session(ctx)
    releases = _releases(release)
    inputs = Inputs(tuple(osv), debian_tracker, kev, epss, support)
    moment = _as_of(session, as_of, [*osv, *(path for path in (debian_tracker, kev, epss) if path is not None)])
    signing = _signing_key(session, key)
    done = built(inputs, releases, moment, progress=session.progress)
    files = {each.name: output / each.file_name for each in done}
    if not accept_shrink:
        for each, (header, _contents) in done.items():
            _require_not_shrunk(files[each.name], header, signing)
    for each, (_header, contents) in done.items():
        _write(files[each.name], contents, signing)
    view: list[Block] = [
        KeyValues((*header_rows(header), (msg("Written to"), str(files[each.name]))))
        for each, (header, _contents) in done.items()
    ]
    view.append(Paragraph(msg("Signed by {key}; name it in checks.vulnerabilities.keys.", key=signing.public_key)))
    signer = fingerprint(signing.public_key)
    data = tuple(
        BuiltBundle(**contents_of(header), file=str(files[each.name]), signed_by=signer)
        for each, (header, _contents) in done.items()
    )
    return Result(data, view)


def _releases(names: Sequence[str]) -> tuple[Release, ...]:
    found = []
    for name in dict.fromkeys(names):
        release = release_named(name)
        if release is None:
            raise UsageError(
                msg("{name} is no release that is known here", name=show_text(name, 60)),
                msg(
                    "Write it as SYSTEM:VERSION, such as debian:12 or ubuntu:24.04. The systems are: {systems}.",
                    systems=", ".join(SYSTEMS),
                ),
            )
        found.append(release)
    return tuple(found)


def _as_of(session: Session, text: str | None, files: Sequence[Path]) -> datetime:
    if text is None:
        moment = min(_changed(files))
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise UsageError(
                msg("{text} is no time", text=show_text(text, 40)),
                msg("Write it as 2026-11-25 or 2026-11-25T06:00:00Z."),
            ) from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > session.clock.now():
        raise UsageError(
            msg("the files can't have been fetched at {moment}, which has not come yet", moment=moment),
            msg("Give the time at which they were fetched by --as-of."),
        )
    return moment.astimezone(UTC).replace(microsecond=0)


def _changed(files: Sequence[Path]) -> Iterator[datetime]:
    for path in files:
        try:
            yield datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError as error:
            raise UsageError(
                msg("cannot read {path}: {cause}", path=show_text(str(path)), cause=cause_of(error)),
                msg("Fetch the file, or correct its name."),
            ) from error


def _signing_key(session: Session, path: Path | None) -> SigningKey:
    if path is not None:
        return SigningKey.load(path)
    key = session.signing_key
    if key is None:
        raise UsageError(
            msg("there is no key to sign the bundle with"),
            msg("Give --key FILE; 'ssh-keygen -t ed25519 -N \"\" -f FILE' makes one."),
        )
    return key


def _require_not_shrunk(path: Path, header: Header, key: SigningKey) -> None:
    """Make sure that the files are not a part of what they should be, as far as the bundle of before can tell.

    Raises:
        VulnerabilityDataRefused: the new one has less than nine tenths of its records.
    """
    try:
        before = read_bundle(path, [key.public_key]).header
    except VulnerabilityBundleRefused:  # there is none, or none that says anything
        return
    if header.records * 10 < before.records * 9:
        raise VulnerabilityDataRefused(
            msg(
                "the new bundle of {release} has {n} records, the one before has {before}",
                release=header.release.name,
                n=header.records,
                before=before.records,
            ),
            msg("Fetch the files again. If so few are right, give --accept-shrink."),
        )


def _write(path: Path, data: bytes, key: SigningKey) -> None:
    signature = signature_of(data, key)
    write_atomically(path, data)
    write_atomically(path.with_name(path.name + SUFFIX), signature.encode())


VERB = Verb(build)
