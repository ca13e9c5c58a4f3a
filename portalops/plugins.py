"""Plug-ins, found by their files: one door for each kind of them, and no list to edit.

What all plug-ins of a kind must have is a class with typed fields, most often a frozen dataclass of functions. The package in
which they lie has the class and the door:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Form:
        parse: Callable[[bytes], tuple[ToolClaims, ...]]
        limit_bytes: int = MAX_BYTES                 # what a plug-in may leave out is a field with a default

    FORMS = Door("checks.imports", "FORM", Form)

Each module of that folder registers by a constant of the door's name, below its functions:

    FORM = Form(parse=parse)

So strict mypy refuses a plug-in whose function is missing, misnamed or of another shape: at the constant, in the plug-in's own
file. A class of Protocols is checked by what `build` returns, a `Medium` without `remove` at `MEDIUM = MediumKind(build=build)`.
A constant that is missing is an error when the plug-in is loaded, which `tests/test_plugins.py` does with all.

`shapes.py` and `_parts.py`: a file whose name begins with `_` is no plug-in but a part that several share. The plug-in
`mariadb-sql` is the file `mariadb_sql.py`. Names are read off the folder and nothing is imported for it; to load one imports its
module alone.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from typing import Generic, TypeVar

from portalops.errors import PortalOpsError, UnknownKind
from portalops.model.message import Message, msg
from portalops.model.values import dataclass

KindT_co = TypeVar("KindT_co", covariant=True)


class NotRegistered(TypeError):
    """A module of a plug-in folder has no constant of its door: a fault in portalops."""


@cache  # the files of a package are no less there when this process may not list its folder any more
def _names_in(package: str, prefix: str) -> tuple[str, ...]:
    spec = find_spec(package)
    assert spec is not None, f"there is no package {package}"
    found = (each.name for each in pkgutil.iter_modules(spec.submodule_search_locations))
    own = (name.removeprefix(prefix) for name in found if name.startswith(prefix))
    return tuple(sorted(name.replace("_", "-") for name in own if not name.startswith("_")))


@dataclass(frozen=True, slots=True)
class Door(Generic[KindT_co]):
    """Where the plug-ins of one kind come in."""

    package: str
    """In whose folder they lie, such as `backups.media`."""
    constant: str
    """By which each registers, such as `MEDIUM`."""
    kind: type[KindT_co]
    """What the constant is."""
    prefix: str = ""
    """With what their file names begin, where the folder holds other things too; it is no part of their names."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all plug-ins, sorted; none is imported."""
        return _names_in(self.package, self.prefix)

    def module(self, name: str) -> str:
        """Return the name of a plug-in's module, which need not exist."""
        return f"{self.package}.{self.prefix}{name.replace('-', '_')}"

    def load(self, name: str) -> KindT_co:
        """Return a plug-in, which must be one of `names`.

        Raises:
            NotRegistered: its module has no constant of the door.
        """
        found = getattr(importlib.import_module(self.module(name)), self.constant, None)
        if not isinstance(found, self.kind):
            raise NotRegistered(f"{self.module(name)} has no {self.constant}, a {self.kind.__name__}")
        return found

    def all(self) -> Iterator[tuple[str, KindT_co]]:
        """Yield each plug-in with its name, by name; all are imported."""
        for name in self.names():
            yield name, self.load(name)

    def find(self, name: str, unknown: Message, *, error: type[PortalOpsError] = UnknownKind) -> KindT_co:
        """Return the plug-in that a person named.

        Args:
            name: as it was given.
            unknown: the error's text where there is none of the name.
            error: its class.

        Raises:
            PortalOpsError: there is none; the hint has the nearest name and all others.
        """
        known = self.names()
        if name in known:
            return self.load(name)
        close, there = get_close_matches(name, known, 1), ", ".join(known)
        hint = (
            msg("Did you mean {close}? Choose one of: {names}.", close=close[0], names=there)
            if close
            else msg("Choose one of: {names}.", names=there)
        )
        raise error(unknown, hint)
