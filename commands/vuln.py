"""Build and check the signed bundles of known vulnerabilities that the servers' packages are looked up in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ExitCode, UsageError, VulnerabilityBundleRefused, VulnerabilityDataRefused, worst
from portalops.locale import _
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text
from portalops.reports.document import Block, Cell, KeyValues, Notice, Paragraph, Tone
from portalops.signatures.sshsig import SigningKey, fingerprint
from portalops.system.files import write_atomically

if TYPE_CHECKING:
    from checks.vulnerabilities.bundle import Bundle, Header
    from checks.vulnerabilities.releases import Release

app = typer.Typer(no_args_is_help=True)
bundle = typer.Typer(
    no_args_is_help=True, help=_("Build bundles on a connected machine, and check them where they are used")
)
app.add_typer(bundle, name="bundle")

OptionalFile = Optional[Path]  # noqa: UP045  # Typer reads it at run time


@bundle.command(
    help=_(
        "Build a signed bundle for each release\n\nReads files that were fetched by any means and fetches none: OSV's all.zip of"
        " the ecosystems, the JSON of Debian's security tracker, CISA's list of exploited vulnerabilities, FIRST's EPSS scores"
        " and a table of supported versions. What is damaged, cut short or of another form ends it, and nothing is written."
        "\n\nExample: portalops vuln bundle build --osv Debian.zip --kev known_exploited_vulnerabilities.json --release"
        " debian:12 --output /media/usb --key signing.key\n\nEXIT STATUS: 0 written, 2 wrong usage, or a file is not what it"
        " must be, 78 there is no signing key"
    )
)
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
) -> Result:
    from checks.vulnerabilities.build import Inputs, built  # noqa: PLC0415  # start-up time

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
        KeyValues((*_header_rows(header), (msg("Written to"), str(files[each.name]))))
        for each, (header, _contents) in done.items()
    ]
    view.append(Paragraph(msg("Signed by {key}; name it in checks.vulnerabilities.keys.", key=signing.public_key)))
    data: list[JsonValue] = [
        {**_header_data(header), "file": str(files[each.name]), "signed_by": fingerprint(signing.public_key)}
        for each, (header, _contents) in done.items()
    ]
    return Result(data, view)


@bundle.command(
    help=_(
        "Check bundles: who signed them, how old they are, what is in them\n\nReads every line. Without a file: the bundles of"
        " checks.vulnerabilities.bundles.\n\nExample: portalops vuln bundle check; portalops vuln bundle check"
        " /media/usb/debian-12.vulnerabilities.jsonl\n\nEXIT STATUS: 0 all are signed by a trusted key and fresh, 1 one is too"
        " old, 3 none is configured, 5 one is refused"
    )
)
def check(
    ctx: typer.Context,
    file: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help=_("Bundles; the configured ones if not given"))
    ] = None,
) -> Result:
    session = open_session(ctx)
    settings = session.settings.vulnerabilities
    paths = tuple(file or settings.bundles)
    if not paths:
        notice = msg("No bundle is configured: set checks.vulnerabilities.bundles and keys.")
        return Result([], [Notice(notice, Tone.UNSURE)], exit_code=ExitCode.PARTIAL)
    data: list[JsonValue] = []
    view: list[Block] = []
    codes: list[ExitCode] = []
    for path in paths:
        try:
            seen = _read(path, settings.keys)
        except VulnerabilityBundleRefused as error:
            data.append({"id": str(path), "refused": str(error.message)})
            view.append(Notice(error.message, Tone.BAD))
            codes.append(error.exit_code)
            continue
        problem = _problem(seen, session.clock.now(), settings.max_age_days)
        data.append({"id": str(path), **_header_data(seen.header), "signed_by": seen.signer, "problem": _text(problem)})
        view.append(
            KeyValues(((msg("Bundle"), str(path)), *_header_rows(seen.header), (msg("Signed by"), seen.signer)))
        )
        if problem is not None:
            view.append(Notice(problem, Tone.BAD))
        codes.append(ExitCode.UNMET if problem else ExitCode.OK)
    return Result(data, view, exit_code=worst(codes))


def _read(path: Path, keys: Sequence[str]) -> Bundle:
    from checks.vulnerabilities.bundle import bundle_refused, read_bundle  # noqa: PLC0415  # start-up time

    seen = read_bundle(path, keys)
    try:
        counted = seen.counted()
    except ValueError as error:
        what = msg("it cannot be parsed by this version: {what}", what=show_text(str(error), 120))
        raise bundle_refused(path, what) from error
    if counted != seen.header.rows:
        raise bundle_refused(path, msg("it has {n} rows and says {stated}", n=counted, stated=seen.header.rows))
    return seen


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


def _releases(names: Sequence[str]) -> tuple[Release, ...]:
    from checks.vulnerabilities.releases import SYSTEMS, release_named  # noqa: PLC0415  # start-up time

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
    from checks.vulnerabilities.bundle import read_bundle  # noqa: PLC0415  # start-up time

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
    from checks.vulnerabilities.bundle import SUFFIX, signature_of  # noqa: PLC0415  # start-up time

    signature = signature_of(data, key)
    write_atomically(path, data)
    write_atomically(path.with_name(path.name + SUFFIX), signature.encode())


def _header_rows(header: Header) -> tuple[tuple[Message, Cell], ...]:
    return (
        (msg("Release"), header.release.name),
        (msg("State of"), header.as_of),
        (msg("Records"), header.records),
        (msg("Newest record"), header.newest or None),
        (msg("Packages"), header.packages),
        (msg("Vulnerabilities of packages"), header.rows),
        (msg("Known to be exploited"), header.exploited),
        *(
            (verbatim(f"{source.kind}"), verbatim(f"{source.name}, {source.records}, {source.newest or '-'}"))
            for source in header.sources
        ),
    )


def _header_data(header: Header) -> dict[str, JsonValue]:
    return {
        "release": header.release.name,
        "as_of": header.as_of.isoformat(),
        "records": header.records,
        "newest": header.newest,
        "packages": header.packages,
        "rows": header.rows,
        "exploited": header.exploited,
        "sources": [
            {
                "kind": source.kind,
                "name": source.name,
                "sha256": source.sha256,
                "records": source.records,
                "newest": source.newest,
            }
            for source in header.sources
        ],
    }


def _text(problem: Message | None) -> str | None:
    return str(problem) if problem else None
