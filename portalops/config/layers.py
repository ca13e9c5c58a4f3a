"""The layers of a configuration: which files, in which order, and from which of them a value comes.

Later layers win over earlier ones, value by value; lists of tables (units, hosts, sources, ...) are
joined. Nothing is judged here but that each file can be read as TOML.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard

from portalops.config.positions import KeyPath, Position, Positions
from portalops.errors import ConfigurationError, ConfigurationNotFound, ConfigurationSyntax
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text
from portalops.model.values import dataclass

Tree: TypeAlias = "dict[str, Any]"
"""What tomllib returns; its values are typed by the shapes, and by nothing before them."""

SYSTEM_FILE = Path("/etc/portalops/portalops.toml")
FILE_NAME = "portalops.toml"
LIMIT_BYTES = 16 << 20
"""A configuration beyond this is some other file, named by mistake."""


DEPTH = 32
"""No table of a configuration lies deeper; a file that goes beyond is not one."""


class ConfigurationFile:
    """One TOML file as read."""

    def __init__(self, path: Path, text: str, tree: Tree) -> None:
        self.path = path
        self.text = text
        self.tree = tree

    @property
    def folder(self) -> Path:
        """The folder that its relative paths start from."""
        return self.path.parent

    @cached_property
    def positions(self) -> Positions:
        """Where its keys stand; scanned when the first place is asked for."""
        return Positions(self.text)


@dataclass(frozen=True, slots=True)
class ValueOrigin:
    """Where a value comes from: a file, an environment variable or an option."""

    file: ConfigurationFile | None
    path: KeyPath
    """The value's path inside that file."""
    name: str = ""
    """The variable or option, where it is no file."""

    @property
    def position(self) -> Position | None:
        """Where the value stands in its file."""
        return self.file.positions.find(self.path) if self.file else None

    def __str__(self) -> str:
        if self.file is None:
            return self.name
        return f"{show_path(self.file.path)}:{self.file.positions.find(self.path).line}"


@dataclass(slots=True)
class Layers:
    """All layers, joined."""

    files: list[ConfigurationFile] = field(default_factory=list)
    tree: Tree = field(default_factory=dict)
    ended: list[tuple[str, str]] = field(default_factory=list)
    """Options that were written and have no effect any more: where, and their names."""
    _origins: dict[KeyPath, ValueOrigin] = field(default_factory=dict)

    def add_file(self, file: ConfigurationFile) -> None:
        """Lay a file over what is there."""
        self.files.append(file)
        self._join(self.tree, file.tree, (), (), file)

    def add_value(self, path: tuple[str, ...], value: object, name: str) -> None:
        """Lay one value from a variable or an option over what is there."""
        table = self.tree
        for key in path[:-1]:
            following = table.setdefault(key, {})
            if not isinstance(following, dict):
                return  # a table is expected here; the shapes say so with the file's line
            table = following
        table[path[-1]] = value
        self._forget(path)
        self._origins[path] = ValueOrigin(None, path, name)

    def leave_out(self, table: str, names: Iterable[str]) -> None:
        """Take options of a table out that have no effect any more, and note where they stood."""
        rows = self.tree.get(table)
        if isinstance(rows, dict):
            for name in names:
                if name in rows:
                    self.ended.append((self.place((table, name)), f"{table}.{name}"))
                    del rows[name]

    def origin(self, path: Sequence[str | int]) -> ValueOrigin | None:
        """Return where a value, or the nearest table around it, comes from; None where nothing of it was written."""
        for length in range(len(path), 0, -1):
            origin = self._origins.get(tuple(path[:length]))
            if origin is not None:
                return ValueOrigin(origin.file, (*origin.path, *path[length:]), origin.name)
        return None

    def place(self, path: Sequence[str | int]) -> str:
        """Return `file:line` of a value, the variable or option that set it, or the main file's name."""
        origin = self.origin(path)
        if origin is not None:
            return str(origin)
        return show_path(self.files[0].path) if self.files else "?"

    def folder(self, path: Sequence[str | int]) -> Path:
        """Return the folder that a relative path at this place starts from: its file's, else the working folder."""
        origin = self.origin(path)
        if origin is not None and origin.file is not None:
            return origin.file.folder
        return find_working_folder() if origin is not None or not self.files else self.files[0].folder

    def _join(self, into: Tree, tree: Tree, path: KeyPath, local: KeyPath, file: ConfigurationFile) -> None:
        for key, value in tree.items():
            here, there = (*path, key), (*local, key)
            old = into.get(key)
            if isinstance(value, dict) and isinstance(old, dict):
                self._join(old, value, here, there, file)
            elif _is_table_list(value) and _is_table_list(old):
                for index in range(len(value)):
                    self._origins[(*here, len(old) + index)] = ValueOrigin(file, (*there, index))
                into[key] = [*old, *value]
            elif value == [] and _is_table_list(old):
                continue  # joining nothing to a list of tables leaves it as it is
            else:
                self._forget(here)
                into[key] = _copied(value)
                self._register(value, here, there, file)

    def _register(self, value: object, path: KeyPath, local: KeyPath, file: ConfigurationFile) -> None:
        self._origins[path] = ValueOrigin(file, local)
        if isinstance(value, dict):
            for key, inner in value.items():
                self._register(inner, (*path, key), (*local, key), file)
        elif _is_table_list(value):
            for index in range(len(value)):
                self._origins[(*path, index)] = ValueOrigin(file, (*local, index))

    def _forget(self, path: KeyPath) -> None:
        if path not in self._origins:
            return
        for known in [known for known in self._origins if known[: len(path)] == path]:
            del self._origins[known]


def find_main_file(named: Path | None, environment: Mapping[str, str], *, working_folder: Path) -> Path:
    """Return the configuration's main file: the named one, else the first there is.

    PORTALOPS_CONFIG counts as named; then come `portalops.toml` in the working folder, the user's own
    (unless root asks) and `/etc/portalops/portalops.toml`.

    Raises:
        ConfigurationNotFound: the named file is not there, or none is.
    """
    if named is None and environment.get("PORTALOPS_CONFIG"):
        named = Path(environment["PORTALOPS_CONFIG"])
    if named is not None:
        path = working_folder / named.expanduser()
        if os.path.isdir(path):  # unlike Path.is_dir, false where a folder above is closed to us
            raise ConfigurationNotFound(
                msg("{path} is a folder, not a configuration file", path=show_path(path)),
                msg("Name the file in that folder, such as {path}.", path=show_path(path / FILE_NAME)),
            )
        return path  # reading it says whether it is there, or why it cannot be read
    candidates = default_places(environment, working_folder=working_folder)
    for path in candidates:
        if os.path.exists(path):
            return path
    raise ConfigurationNotFound(
        msg(
            "no configuration found: none of these files exists: {paths}",
            paths=", ".join(show_path(path) for path in candidates),
        ),
        msg("Name a file with --config, or make one with 'portalops init'."),
    )


def default_places(environment: Mapping[str, str], *, working_folder: Path) -> tuple[Path, ...]:
    """Return where a configuration is looked for when none is named, first come first."""
    places = [working_folder / FILE_NAME]
    if os.geteuid() != 0:
        base = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME") or "~").expanduser() / ".config")
        places.append(Path(base) / "portalops" / FILE_NAME)
    return (*places, SYSTEM_FILE)


def read_layers(main: Path) -> Layers:
    """Read the main file, what it includes, and `conf.d/*.toml` beside it.

    Raises:
        ConfigurationError: a file cannot be read, is not TOML, or an included one is not there.
    """
    layers = Layers()
    first = read_file(main)
    layers.add_file(first)
    seen = {main.resolve()}
    for path in (*_included(first), *_list_fragments(main)):
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        file = read_file(path)
        if "include" in file.tree:
            raise ConfigurationError(
                msg(
                    "{place}: 'include' is not allowed in an included file", place=str(ValueOrigin(file, ("include",)))
                ),
                msg("Move it to {path}: only the main file may include others.", path=show_path(main)),
            )
        layers.add_file(file)
    return layers


def read_file(path: Path) -> ConfigurationFile:
    """Read one TOML file.

    Raises:
        ConfigurationNotFound: it is not there.
        ConfigurationError: it cannot be read, is too large or not UTF-8.
        ConfigurationSyntax: it is not TOML.
    """
    return parsed(path, _text_of(path))


def parsed(path: Path, text: str) -> ConfigurationFile:
    """Return a text as the TOML file that it is, or will be.

    Raises:
        ConfigurationSyntax: it is not TOML.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        cause, place = _syntax_problem(str(error), text)
        raise ConfigurationSyntax(
            msg(
                "{path}:{line}:{column}: not valid TOML: {cause}",
                path=show_path(path),
                line=place.line,
                column=place.column,
                cause=cause,
            ),
            msg("Correct that line: texts are in double quotes, tables under [headers]."),
        ) from error
    except RecursionError as error:
        raise _too_deep(path) from error
    if not _is_shallow(tree):
        raise _too_deep(path)
    return ConfigurationFile(path, text, tree)


def find_working_folder() -> Path:
    """Return the working folder; the root where it has been removed under us."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


def show_path(path: Path) -> str:
    """Return a path as short as it is clear: relative inside the working folder; control characters escaped."""
    folder = find_working_folder()
    if folder != Path("/"):
        with contextlib.suppress(ValueError):
            path = path.relative_to(folder)
    return show_text(str(path))


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigurationNotFound(
            msg("there is no configuration file {path}", path=show_path(path)),
            msg("Name another file with --config, or make one with 'portalops init'."),
        ) from error
    except OSError as error:
        raise ConfigurationError(
            msg("cannot read {path}: {cause}", path=show_path(path), cause=cause_of(error)),
            msg("Check the owner and mode of the file: ls -l {path}.", path=show_path(path)),
        ) from error
    if len(data) > LIMIT_BYTES:
        raise ConfigurationError(
            msg("{path} is too large for a configuration file", path=show_path(path)),
            msg("Check that this file is the configuration of portalops."),
        )
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        raise ConfigurationSyntax(
            msg(
                "{path}:{line}: not UTF-8: byte {byte}",
                path=show_path(path),
                line=before.count(b"\n") + 1,
                byte=f"0x{data[error.start]:02x}",
            ),
            msg("Save the file as UTF-8; 'iconv -f CP1258 -t UTF-8' converts an old Vietnamese text."),
        ) from error


def _list_fragments(main: Path) -> Iterator[Path]:
    """Yield `conf.d/*.toml` beside the main file, by name."""
    folder = main.parent / "conf.d"
    if os.path.isdir(folder):
        yield from (folder / name for name in _names_in(folder) if name.endswith(".toml") and not name.startswith("."))


def _included(file: ConfigurationFile) -> Iterator[Path]:
    patterns = file.tree.get("include", [])
    for index, pattern in enumerate(patterns if isinstance(patterns, list) else []):
        if not isinstance(pattern, str) or "\0" in pattern:
            continue  # the shapes say what is wrong with it
        place = str(ValueOrigin(file, ("include", index)))
        start = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
        if start != pattern:
            # glob passes over what it may not read; the folder where it starts must at least be readable.
            _names_in(file.folder / start if start.endswith("/") else (file.folder / start).parent)
            yield from sorted(Path(found) for found in glob.glob(str(file.folder / pattern), recursive=True))
            continue
        path = file.folder / pattern
        if not os.path.lexists(path):
            raise ConfigurationNotFound(
                msg("{place}: the included file {path} does not exist", place=place, path=show_path(path)),
                msg("Correct the path, which is relative to {path}.", path=show_path(file.path)),
            )
        yield path


def _names_in(folder: Path) -> Sequence[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise ConfigurationError(
            msg("cannot read {path}: {cause}", path=show_path(folder), cause=cause_of(error)),
            msg("Check the owner and mode of the folder: ls -ld {path}.", path=show_path(folder)),
        ) from error


_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_CAUSES = (
    ("Invalid value", msg("this is not a value; texts must be in double quotes")),
    ("Expected '=' after a key", msg("a key is not followed by =")),
    ("Invalid statement", msg("this is neither a key nor a [header]")),
    (
        "Invalid initial character for a key part",
        msg("a key is missing or begins with a character that is not allowed in keys"),
    ),
    ("Expected newline or end of document", msg("there is extra text after the value on this line")),
    ("Cannot overwrite a value", msg("this key already has a value")),
    ("Cannot declare", msg("this table is defined twice")),
    ("Duplicate inline table key", msg("this key already has a value")),
    ("Unclosed array", msg("a list is not closed by ]")),
    ("Unclosed inline table", msg("a table in braces is not closed")),
    ("Unterminated string", msg("a text is not closed by its quote")),
    ("Illegal character", msg("it has a control character; a text of several lines must be in three quotes")),
    ("Unescaped '\\' in a string", msg("a backslash in double quotes starts an escape; use single quotes")),
)
"""What tomllib says, said again so that it can be translated; anything else is passed on as it is."""


def _syntax_problem(text: str, source: str) -> tuple[Message, Position]:
    match = _PLACE.search(text)
    said = text[: match.start()] if match else text
    if match and match.group(1):
        position = Position(int(match.group(1)), int(match.group(2)))
    else:
        lines = source.split("\n")
        position = Position(len(lines), len(lines[-1]) + 1)
    known = next((cause for start, cause in _CAUSES if said.startswith(start)), None)
    return known or verbatim(show_text(said)), position


def _too_deep(path: Path) -> ConfigurationSyntax:
    return ConfigurationSyntax(
        msg("{path}: lists or tables are nested too deeply", path=show_path(path)),
        msg("Check that this file is the configuration of portalops."),
    )


def _is_shallow(tree: Tree) -> bool:
    """Say whether nothing is nested deeper than DEPTH; dotted keys nest without nesting the text."""
    level: list[object] = [tree]
    for _depth in range(DEPTH):
        level = [
            inner
            for node in level
            for inner in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
        ]
        if not level:
            return True
    return False


def _is_table_list(value: object) -> TypeGuard[list[Tree]]:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _copied(value: object) -> object:
    """Copy tables, so that joining never changes what a file holds."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return list(value) if isinstance(value, list) else value
