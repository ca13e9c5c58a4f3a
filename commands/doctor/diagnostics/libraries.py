"""The libraries are installed, and the extras that the configuration needs; with `--deep` no file of them was changed.

Which extra a kind needs is told by the kind itself where it has `missing`; databases by the address that is configured.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distributions, version
from importlib.util import find_spec
from pathlib import Path

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, good
from portalops.model.message import msg, nmsg
from portalops.model.text import show_text

LIBRARIES = ("pydantic", "typer", "sqlalchemy", "cryptography", "pyrage", "paramiko", "boto3", "httpx")
SHOWN = 5
DRIVERS = {"psycopg": ("psycopg", "postgresql")}
"""What stands in a database's address, `postgresql+psycopg://`: the module that it needs, and the extra that brings it."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say which libraries there are, and what the configuration needs beyond them."""
    found: list[str] = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            yield bad(name, msg("{name} is not installed", name=name), msg("Install portalops again."))
    yield good("", msg("{versions}", versions=", ".join(found)))
    if look.deep:
        yield from _files_seen()
    yield from _drivers(look)


def _files_seen() -> Iterator[DiagnosticLine]:
    """Read every file that was installed, and hold it against the digest that the RECORD of its package has."""
    changed: list[str] = []
    count = packages = 0
    for package in distributions():
        packages += 1
        for file in package.files or ():
            if file.hash is None or file.hash.mode != "sha256":
                continue
            count += 1
            try:
                with Path(str(file.locate())).open("rb") as opened:
                    digest = hashlib.file_digest(opened, "sha256").digest()
            except OSError:
                changed.append(str(file))
                continue
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
                changed.append(str(file))
    for name in changed[:SHOWN]:
        yield bad(
            "files",
            msg("{path} is not as it was installed", path=show_text(name, 200)),
            msg("Find out who changed it, then install portalops again."),
        )
    if not changed:
        yield good(
            "files",
            msg("all {files} files of {packages} packages are as they were installed", files=count, packages=packages),
        )
    elif len(changed) > SHOWN:
        more = len(changed) - SHOWN
        yield bad(
            "files",
            nmsg("{n} more file is not as it was installed", "{n} more files are not as they were installed", more),
            msg("Find out who changed it, then install portalops again."),
        )


def _drivers(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say whether each database's driver is here."""
    for table in look.session.settings.update_sources:
        address = str(table.values.get("url", ""))
        driver = address.partition("://")[0].partition("+")[2]
        if driver not in DRIVERS:
            continue
        module, extra = DRIVERS[driver]
        if find_spec(module) is not None:
            yield good(table.id, msg("{id}: the driver {module} is installed", id=table.id, module=module))
        else:
            yield bad(
                table.id,
                msg("{id}: the driver {module} is not installed", id=table.id, module=module),
                msg(
                    "Install it where portalops is: {python} -m pip install 'portalops[{extra}]'",
                    python=show_text(sys.executable),
                    extra=extra,
                ),
            )


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
