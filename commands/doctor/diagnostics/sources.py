"""Each file or folder that is to be backed up is there and can be read; with `--deep` also the databases answer.

Nothing of the data is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backups.sources import SourceContext, build_source
from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, bounded, good, note
from portalops.config.layers import show_path
from portalops.model.message import msg
from portalops.ports import AskableSource

if TYPE_CHECKING:
    from portalops.config import KindTable


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say of each source whether its files can be read here."""
    tables = look.session.settings.backup_sources
    if not tables:
        yield bad("", msg("no backup source is configured"), msg("Add [[backup.source]] to the configuration."))
    for table in tables:
        yield from bounded(partial(_check_source, look, table), seconds=look.seconds, about=table.id)


def _check_source(look: DoctorContext, table: KindTable) -> Iterator[DiagnosticLine]:
    source = build_source(table, SourceContext(look.session.settings.state_folder, ()))
    paths = source_paths(table)
    if isinstance(source, AskableSource):
        if look.deep:
            yield good(table.id, msg("{id}: it answers: {said}", id=table.id, said=source.ask()))
        else:
            yield note(
                table.id,
                msg("{id}: the database was not asked", id=table.id),
                msg("Run 'portalops doctor --deep --only sources'."),
            )
    elif not paths and table.kind != "ledger":
        yield note(
            table.id,
            msg("{id}: a source of kind {kind} is not tried here", id=table.id, kind=table.kind),
            msg("Run 'portalops backup run --dry-run', then 'portalops backup run': it says what a source refuses."),
        )
    for path in paths:
        if not path.exists():
            yield bad(
                table.id,
                msg("{id}: {path} is not there", id=table.id, path=show_path(path)),
                msg("Correct {place}, or bring the file back.", place=table.place),
            )
        elif not os.access(path, os.R_OK):
            yield bad(
                table.id,
                msg("{id}: {path} cannot be read by this user", id=table.id, path=show_path(path)),
                msg("Run portalops as a user that may read it."),
            )
        else:
            yield good(table.id, msg("{id}: {path} can be read", id=table.id, path=show_path(path)))


def source_paths(table: KindTable) -> Sequence[Path]:
    """Return the files and folders that a source names, where it reads files of this machine."""
    values: Mapping[str, object] = table.values
    if "host" in values or "ssh" in values:
        return ()
    included = values.get("include")
    named = [*included] if isinstance(included, list) else []
    named += [values[key] for key in ("database", "path") if isinstance(values.get(key), str)]
    return [table.folder / Path(text).expanduser() for text in named if isinstance(text, str) and "*" not in text]


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
