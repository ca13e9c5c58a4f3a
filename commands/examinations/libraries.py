"""The libraries are installed, and the extras that the configuration needs.

Which extra a kind needs is told by the kind itself where it has `missing`; databases by the address that is configured.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from commands.examinations import Look, Seen, bad, good
from portalops.model.message import msg
from portalops.model.text import show_text

LIBRARIES = ("pydantic", "typer", "sqlalchemy", "cryptography", "pyrage", "paramiko", "boto3", "httpx")
DRIVERS = {"psycopg": ("psycopg", "postgresql"), "pymysql": ("pymysql", "mariadb")}
"""What stands in a database's address, `postgresql+psycopg://`: the module that it needs, and the extra that brings it."""


def examine(look: Look) -> Iterator[Seen]:
    """Say which libraries there are, and what the configuration needs beyond them."""
    found: list[str] = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            yield bad(name, msg("{name} is not installed", name=name), msg("Install portalops again."))
    yield good("", msg("{versions}", versions=", ".join(found)))
    yield from _drivers(look)


def _drivers(look: Look) -> Iterator[Seen]:
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
