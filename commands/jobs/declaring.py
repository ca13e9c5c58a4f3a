"""Declarations that persons make of hosts: put into files of their own in `conf.d/`, and into the ledger with who made them.

A file is read back as configuration together with all others before any is written, so a mistake leaves everything as it was.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.servers.declared import Declared
from checks.servers.drafting import written
from checks.servers.proposals import AnsweredHost, Proposal, joined, propose
from commands.cli.session import Session
from portalops.config.layers import Layers, parsed
from portalops.config.load import settings_of
from portalops.files import write_atomically
from portalops.model.checks import CheckScan
from portalops.model.hosts import Declaration
from portalops.registers.hosts import DECLARATION, DECLARED

HEAD = "# Written by 'portalops check declare'; values may be changed here, comments are not kept.\n\n"


@dataclass(frozen=True, slots=True)
class DeclaredFile:
    """A file of declarations, as it is to be."""

    host: str
    """Empty for the portal."""
    path: Path
    text: str


def proposals_of(session: Session, scan: CheckScan) -> tuple[Proposal, ...]:
    """Return what could be declared by the answers of a scan, the declarations that move most first."""
    known = {host.id: host for host in session.settings.hosts}
    answered = (
        AnsweredHost(known[each.host], each.gathered_at, answer, session.reader.blob(answer))
        for each in scan.hosts
        if each.host in known and each.reached and not each.standby and (answer := each.answer())
    )
    return propose(scan, answered, session.settings.declared.parse(Declared), session.clock.now())


def files_of(session: Session, accepted: Iterable[Proposal]) -> tuple[DeclaredFile, ...]:
    """Return the files that hold what was accepted beside what they held before, each read back as configuration.

    Raises:
        ConfigurationError: the configuration would be wrong; nothing was written.
    """
    layers = session.settings.layers
    main = layers.files[0].path
    before = {file.path: file.tree for file in layers.files}
    found = []
    for host, tables in joined(accepted).items():
        path = main.parent / "conf.d" / (f"declared-{host}.toml" if host else "declared.toml")
        place = ("checks", "declared", *(("host", host) if host else ()))
        tree: dict[str, Any] = deepcopy(dict(before.get(path, {})))  # what else the file configures stays in it
        own = tree
        for key in place:
            own = own.setdefault(key, {})
        own.update(tables)
        text = HEAD + "\n".join((*written((), tree), ""))
        found.append(DeclaredFile(host, path, text))
    _read_back(layers, found)
    return tuple(found)


def _read_back(layers: Layers, found: Sequence[DeclaredFile]) -> None:
    """Read all files as they would be.

    Raises:
        ConfigurationError: the configuration would be wrong.
    """
    fresh = {each.path: each.text for each in found}
    whole = Layers()
    for file in layers.files:
        whole.add_file(parsed(file.path, fresh.pop(file.path)) if file.path in fresh else file)
    for path, text in fresh.items():
        whole.add_file(parsed(path, text))
    settings_of(whole).declared.parse(Declared)


def declare_by(
    session: Session, accepted: Sequence[Proposal], files: Sequence[DeclaredFile], by: str, edited: frozenset[str]
) -> tuple[int, ...]:
    """Write the files, record who declared what from which evidence, and return the records' numbers.

    Raises:
        FileUnwritable: a file cannot be written; those before it are, and are recorded.
        LedgerError: it cannot be recorded.
    """
    records = []
    for file in files:
        data = file.text.encode()
        write_atomically(file.path, data)
        own = [each for each in accepted if each.host == file.host]
        declaration = Declaration(
            file.host,
            tuple(sorted(each.name for each in own)),
            by,
            tuple(sorted(each.name for each in own if each.id in edited)),
            f"conf.d/{file.path.name}",
            hashlib.sha256(data).hexdigest(),
            tuple(sorted({each.evidence for each in own if each.evidence})),
        )
        record = session.recorder.record(DECLARED, DECLARATION, declaration, subject=file.host, duty="12.1")
        records.append(record.seq)
    return tuple(records)


def tables_in(text: str) -> Mapping[str, object] | None:
    """Return the tables of a draft that a person edited; None for what is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
