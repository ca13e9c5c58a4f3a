"""Each secret that the configuration refers to can be had, and its file is its owner's alone; no secret is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from commands.cli.kinds import typed_tables
from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, bounded, good, warning
from commands.doctor.places import owner_of
from portalops.config.layers import show_path
from portalops.config.secrets import Reference
from portalops.errors import SecretUnavailable
from portalops.model.message import msg


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Try to have each secret, by the way that the configuration gives."""
    tables, _problems = typed_tables(look.session.settings)  # told by the examination of the configuration
    for table, model in tables.items():
        for key, reference in references(model):
            name = f"{table.id or table.section}.{key}"
            yield from bounded(partial(_tried, look, name, reference), seconds=look.seconds, about=name)


def references(node: object, key: str = "") -> Iterator[tuple[str, Reference]]:
    """Yield each reference to a secret among a shape's values, with the dotted key that it stands under."""
    if isinstance(node, Reference):
        yield key, node
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from references(getattr(node, name), f"{key}.{name}" if key else name)
    elif isinstance(node, Mapping):
        for name, inner in node.items():
            yield from references(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(node, (list, tuple)):
        for number, inner in enumerate(node):
            yield from references(inner, f"{key}[{number}]")


def _tried(look: DoctorContext, name: str, reference: Reference) -> Iterator[DiagnosticLine]:
    if reference.credential is not None and not look.session.environment.get("CREDENTIALS_DIRECTORY"):
        return  # only a unit has it: `scheduled-user` says whether the units load it
    try:
        reference.reveal(look.session.environment)
    except SecretUnavailable as error:
        yield bad(name, msg("{name}: {cause}", name=name, cause=error.message), error.hint)
        return
    if reference.file is not None and (owner := _stranger(look, reference.file)):
        yield warning(
            name,
            msg(
                "{name}: {path} belongs to the account {owner}, who can read it",
                name=name,
                path=show_path(reference.file),
                owner=owner,
            ),
            msg(
                "Give it to the account that portalops runs as: chown {user} {path}",
                user=look.session.settings.schedule.user,
                path=show_path(reference.file),
            ),
        )
    elif reference.file is not None:
        yield good(name, msg("{name}: {path} is its owner's alone", name=name, path=show_path(reference.file)))
    elif reference.env is not None:
        yield warning(
            name,
            msg(
                "{name}: the variable {variable} is set here; what a timer starts has other variables",
                name=name,
                variable=reference.env,
            ),
            msg("Give the secret as { file = ... } or { credential = ... }."),
        )
    elif reference.keyring is not None:
        yield warning(
            name,
            msg("{name}: the keyring is open here; it is closed for what a timer starts", name=name),
            msg("Give the secret as { file = ... } or { credential = ... }."),
        )
    else:
        yield good(name, msg("{name}: the credential is loaded", name=name))


def _stranger(look: DoctorContext, path: Path) -> str:
    """Return the owner of a file, if that is neither root, nor who asks, nor the account that timers use; else nothing."""
    status = path.stat()
    owner = owner_of(status)
    return "" if status.st_uid in {0, os.geteuid()} or owner == look.session.settings.schedule.user else owner


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
