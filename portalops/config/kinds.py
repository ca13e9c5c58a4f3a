"""Kinds of tables, found by their files: each module of a package is one, without a list of them anywhere."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType

from portalops.errors import UnknownKind
from portalops.model.message import Message, msg


@functools.cache  # files of a package are no less there when this process may not list its folder any more
def kinds_in(package: str) -> tuple[str, ...]:
    """Return the kinds that a package has, as the configuration names them; a file that begins with `_` is none."""
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return tuple(sorted(module.name.replace("_", "-") for module in found if not module.name.startswith("_")))


def module_of(package: str, kind: str) -> ModuleType:
    """Return the module of a kind, which must be one of `kinds_in`."""
    return importlib.import_module(f"{package}.{kind.replace('-', '_')}")


def known_module(package: str, kind: str, unknown: Message) -> ModuleType:
    """Return the module of a kind that a table names.

    Args:
        package: where the kinds lie.
        kind: as the table has it.
        unknown: what is said where the package has no such kind.

    Raises:
        UnknownKind: there is no such kind.
    """
    known = kinds_in(package)
    if kind not in known:
        raise UnknownKind(unknown, msg("The kinds are: {kinds}.", kinds=", ".join(known)))
    return module_of(package, kind)
