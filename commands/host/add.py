"""Add a server, or a list of them, to the configuration

Appends a [[host]] table to portalops.toml; the rest of the file stays as it is. The result is first read as a
configuration; if it has a mistake, nothing is written. --dry-run shows the table.

--from reads the names of an OpenSSH known_hosts file, --csv a table with a header line and the columns id, address,
port, user, role and custodian. All hosts of a list are added, or none. A list proves no key: the fingerprints that it
has are shown, and a person compares each by 'portalops host enroll'.

Example: portalops host add web1 --address web1.khanhhoa.gov.vn --role web --custodian 'Nguyễn Văn An'; portalops
host add --from ~/.ssh/known_hosts; portalops host add --csv servers.csv

EXIT STATUS: 0 added or shown, 2 wrong usage, 4 the file cannot be written, 78 the configuration would be wrong
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Optional

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.host_lists import LIST_BYTES, SSH_PORT, ListedHost, SkippedLine, csv_hosts, known_hosts
from portalops.config.layers import Layers, parsed
from portalops.config.load import settings_of
from portalops.errors import UsageError
from portalops.files import append_whole
from portalops.locale import _
from portalops.model.causes import cause_of
from portalops.model.message import ByteCount, Message, msg, nmsg, together
from portalops.model.text import show_text
from portalops.reports.document import Block, Notice, Paragraph, TableBlock, Tone, Verbatim


@shape
class AddedHost:
    """The table of a host that was added."""

    id: str
    file: Path
    table: str
    """As TOML."""
    written: bool
    """False of a dry run."""


@shape
class ListedHostShape:
    """A host of a list."""

    id: str
    address: str
    port: int
    fingerprints: tuple[str, ...]
    """Of the keys that the list has; none of them is believed until a person has compared it."""


@shape
class UnusedLine:
    """A line of a list that made no host."""

    line: int
    why: str


@shape
class AddedHosts:
    """The hosts of a list that were added."""

    hosts: tuple[ListedHostShape, ...]
    left_out: tuple[UnusedLine, ...]
    file: Path
    table: str
    """As TOML."""
    written: bool
    """False of a dry run."""


ListFile = Annotated[
    Optional[Path],  # noqa: UP045  # Typer reads it at run time
    typer.Option("--from", metavar="FILE", help=_("Add every host that a known_hosts file of OpenSSH names")),
]
CsvFile = Annotated[
    Optional[Path],  # noqa: UP045  # as above
    typer.Option("--csv", metavar="FILE", help=_("Add every host of a table: id,address,port,user,role,custodian")),
]


def add(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Argument(metavar="HOST", help=_("Its id: lower-case letters, digits, dots and hyphens"))
    ] = "",
    *,
    address: Annotated[str, typer.Option(metavar="ADDRESS", help=_("Name or address; 'local' for this machine"))] = "",
    from_file: ListFile = None,
    csv_file: CsvFile = None,
    port: Annotated[Optional[int], typer.Option(help=_("Port of its SSH server; 22 by default"))] = None,  # noqa: UP045  # Typer reads it at run time
    user: Annotated[str, typer.Option(help=_("The account on it; checks.ssh.user by default"))] = "",
    identity_file: Annotated[
        str, typer.Option(metavar="FILE", help=_("The private SSH key; checks.ssh.identity_file by default"))
    ] = "",
    jump: Annotated[str, typer.Option(metavar="HOST", help=_("The host that it is reached through"))] = "",
    role: Annotated[
        Optional[list[str]],  # noqa: UP045  # as above
        typer.Option(help=_("A role, such as web or database; may be repeated")),
    ] = None,
    custodian: Annotated[str, typer.Option(metavar="NAME", help=_("Who makes sure that its findings are fixed"))] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result[AddedHost | AddedHosts]:
    session = open_session(ctx)
    optional: dict[str, str | int | list[str] | None] = {
        "port": port,
        "user": user,
        "identity_file": identity_file,
        "jump": jump,
        "roles": role,
        "custodian": custodian,
    }
    common = {key: value for key, value in optional.items() if value}
    if from_file or csv_file:
        if host or address or (from_file and csv_file):
            raise UsageError(
                msg("a list is given with another list, HOST or --address"),
                msg("Give one of HOST with --address, --from FILE and --csv FILE."),
            )
        _require_printable(common)
        return _add_list(session, from_file, csv_file, common, dry_run=dry_run)
    if not host or not address:
        raise UsageError(
            msg("HOST and --address are needed"),
            msg("Give them, or a list of hosts by --from FILE or --csv FILE."),
        )
    if host in {each.id for each in session.settings.hosts}:
        raise UsageError(
            msg("host {host} is already in the configuration", host=host),
            msg("Edit its [[host]] table; 'portalops host show {host}' shows its content.", host=host),
        )
    values: dict[str, str | int | list[str]] = {"id": host, "address": address}
    values.update(common)
    _require_printable(values)
    text = host_table(values)
    main = session.settings.files[0]
    _checked(session, main, text)
    if not dry_run:
        append_whole(main, text.encode())
    data = AddedHost(host, main, text, not dry_run)
    return Result(
        data, [Paragraph(_describe(main, dry_run=dry_run)), Verbatim(text.strip()), Paragraph(_next(host, address))]
    )


def _add_list(
    session: Session,
    from_file: Path | None,
    csv_file: Path | None,
    common: Mapping[str, str | int | list[str]],
    *,
    dry_run: bool,
) -> Result[AddedHost | AddedHosts]:
    """Add all hosts of a list, or none; what a host's own line says wins over the options."""
    left: list[SkippedLine] = []
    if from_file is not None:
        listed, left = known_hosts(_text_of(from_file))
    else:
        listed = csv_hosts(_text_of(csv_file)) if csv_file else []
    hosts = []
    known: set[str] = {each.id for each in session.settings.hosts}
    addresses = {(way.host, way.port) for way in session.settings.servers.ways.values()}
    for each in listed:
        if from_file is not None and (each.address, each.port) in addresses:
            left.append(
                SkippedLine(0, msg("{address} is in the configuration already", address=show_text(each.address, 80)))
            )
        elif each.id in known:
            raise UsageError(
                msg("host {host} is there twice, or is already in the configuration", host=show_text(each.id, 60)),
                msg("Give each host an id of its own. Nothing was added."),
            )
        else:
            known.add(each.id)
            hosts.append(each)
    if not hosts:
        raise UsageError(
            msg("the list names no host that could be added"),
            together([each.why for each in left[:3]]) if left else msg("Look into the file: it is empty."),
        )
    main = session.settings.files[0]
    text = "".join(host_table({**common, **each.table()}) for each in hosts)
    _checked(session, main, text)
    if not dry_run:
        append_whole(main, text.encode())
    data = AddedHosts(
        tuple(ListedHostShape(each.id, each.address, _port_of(each, common), tuple(each.keys)) for each in hosts),
        tuple(UnusedLine(each.line, str(each.why)) for each in left),
        main,
        text,
        not dry_run,
    )
    headers = (msg("Host"), msg("Address"), msg("Port"), msg("Keys of the list, to be compared"))
    rows = [(each.id, each.address, _port_of(each, common), ", ".join(each.keys) or None) for each in hosts]
    said = nmsg("{n} host would be added", "{n} hosts would be added", len(hosts))
    caption = said if dry_run else nmsg("{n} host was added", "{n} hosts were added", len(hosts))
    view: list[Block] = [
        TableBlock(caption, headers, rows),
        *(Notice(msg("line {line}: {why}", line=each.line, why=each.why), Tone.UNSURE) for each in left if each.line),
        *(Notice(each.why, Tone.UNSURE) for each in left if not each.line),
        Paragraph(msg("Next: 'portalops host enroll HOST' for each: compare the key with the fingerprint on paper.")),
    ]
    return Result(data, view)


def _port_of(host: ListedHost, common: Mapping[str, str | int | list[str]]) -> int:
    common_port = common.get("port")
    return host.port or (common_port if isinstance(common_port, int) else SSH_PORT)


def _text_of(path: Path) -> str:
    """Return a list as text, with or without a mark of its byte order.

    Raises:
        UsageError: it cannot be read, is too large or not UTF-8.
    """
    try:
        with path.expanduser().open("rb") as file:
            data = file.read(LIST_BYTES + 1)
        if len(data) > LIST_BYTES:
            raise UsageError(
                msg("{file} is larger than {limit}", file=show_text(str(path), 200), limit=ByteCount(LIST_BYTES)),
                msg("Name the file that lists the hosts."),
            )
        return data.decode("utf-8-sig")
    except OSError as error:
        said = msg("cannot read {file}: {cause}", file=show_text(str(path), 200), cause=cause_of(error))
        raise UsageError(said, msg("Name the file that lists the hosts.")) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            msg("{file} is not UTF-8", file=show_text(str(path), 200)),
            msg("Save the file as UTF-8; 'iconv -f CP1258 -t UTF-8' converts an old Vietnamese text."),
        ) from error


def _require_printable(values: Mapping[str, str | int | list[str]]) -> None:
    for key, value in values.items():
        if any(
            not text.isprintable()
            for text in ((value,) if isinstance(value, str) else value if isinstance(value, list) else ())
        ):
            raise UsageError(
                msg("{option} holds unprintable characters", option=f"--{key.replace('_', '-')}"),
                msg("Write it on one line, in UTF-8."),
            )


def host_table(values: dict[str, str | int | list[str]]) -> str:
    """Return a `[[host]]` table as TOML, whose strings and lists are written as JSON's."""
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
    return "\n[[host]]\n" + "".join(f"{line}\n" for line in lines)


def _checked(session: Session, main: Path, text: str) -> None:
    """Read all files as they would be; the table as one of its own, so that a mistake in it names no line of a file.

    Raises:
        ConfigurationError: the configuration would be wrong.
    """
    layers = Layers()
    for file in session.settings.layers.files:
        layers.add_file(file)
        if file.path == main:
            parsed(main, _with_end(file.text) + text)
    layers.add_file(parsed(main.with_name("[[host]]"), text.strip()))
    settings_of(layers)


def _with_end(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"


def _describe(main: Path, *, dry_run: bool) -> Message:
    if dry_run:
        return msg("This would be appended to {path}:", path=str(main))
    return msg("This was appended to {path}:", path=str(main))


def _next(host: str, address: str) -> Message:
    if address == "local":
        return msg("Next: 'portalops check run --host {host}'.", host=host)
    return msg(
        "Next: 'portalops host enroll {host}' with the fingerprint on paper, then 'portalops host test {host}'.",
        host=host,
    )


VERB = Verb(add)
