"""Add a server to the configuration

Appends a [[host]] table to portalops.toml; the rest of the file stays as it is. The result is first read as a
configuration; if it has a mistake, nothing is written. --dry-run shows the table.

Example: portalops host add web1 --address web1.khanhhoa.gov.vn --role web --custodian 'Nguyễn Văn An'

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
from portalops.config.layers import Layers, parsed
from portalops.config.load import settings_of
from portalops.errors import UsageError
from portalops.files import append_whole
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.reports.document import Paragraph, Verbatim


@shape
class AddedHost:
    """The table of a host that was added."""

    id: str
    file: Path
    table: str
    """As TOML."""
    written: bool
    """False of a dry run."""


def add(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Argument(metavar="HOST", help=_("Its id: lower-case letters, digits, dots and hyphens"))
    ],
    *,
    address: Annotated[str, typer.Option(metavar="ADDRESS", help=_("Name or address; 'local' for this machine"))],
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
) -> Result[AddedHost]:
    session = open_session(ctx)
    if host in {each.id for each in session.settings.hosts}:
        raise UsageError(
            msg("host {host} is already in the configuration", host=host),
            msg("Edit its [[host]] table; 'portalops host show {host}' shows its content.", host=host),
        )
    values: dict[str, str | int | list[str]] = {"id": host, "address": address}
    optional: dict[str, str | int | list[str] | None] = {
        "port": port,
        "user": user,
        "identity_file": identity_file,
        "jump": jump,
        "roles": role,
        "custodian": custodian,
    }
    values.update({key: value for key, value in optional.items() if value})
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
