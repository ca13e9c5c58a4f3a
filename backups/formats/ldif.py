"""The entries of a database of OpenLDAP, as slapcat writes them and slapadd reads them; ldapadd does not take them.

A trial makes a configuration and a database in an empty folder. For entries it needs the set's configuration, which is restored
beside them: without it the schema is not known, and the entries are only restored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from backups.formats import Format, Restored, Trial
from backups.formats._parts import Step, file_place, load, row_counts, write_file
from backups.formats._trials import cannot_try, was_stopped
from portalops.model.backups import Stream, VerifyLevel
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import Completed, Runner

CONFIG = "config"
MAX_PROBLEMS = 20
SECONDS = 12 * 3600.0
_PROGRAMS = ("slapadd", "slapcat", "awk")
_FOLDER = re.compile(rb"^olcDbDirectory: (/.*)$", re.MULTILINE)


def place(stream: Stream) -> str:
    return file_place(stream, "ldif")


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    yield from write_file(stream, command, place)
    if stream.name == CONFIG:
        yield msg(
            "This is the configuration of slapd; restore it before the entries. Its databases would go into the folders that it"
            " names, where a live directory may be, so these commands put the target in front of them:"
        )
        yield load(
            'HERE="$TO"',
            "export HERE",
            # Quoted, for a target's name may have spaces; slapcat writes a path that is not ASCII in base64.
            f'! grep -q "^olcDbDirectory::" "$TO/{place}" || stop "{place}: a folder of it is not ASCII"',
            """awk '/^olcDbDirectory: / { path = substr($0, 17); gsub(/"/, "", path);"""
            """ $0 = "olcDbDirectory: \\"" ENVIRON["HERE"] path "\\"" } { print }'"""
            f' "$TO/{place}" > "$TO/config-here.ldif"',
            """sed -n 's/^olcDbDirectory: "\\(.*\\)"$/\\1/p' "$TO/config-here.ldif" > "$WORK/folders\"""",
            'while read -r FOLDER; do mkdir -p "$FOLDER" || stop "$FOLDER"; done < "$WORK/folders"',
            'mkdir -p "$TO/slapd.d"',
            'slapadd -F "$TO/slapd.d" -n 0 -l "$TO/config-here.ldif"',
            needs=_PROGRAMS,
        )
    else:
        number = stream.name.rpartition("-")[2]
        yield msg("Load the entries, and count them again:")
        yield load(
            f'slapadd -F "$TO/slapd.d" -g -n {number} -l "$TO/{place}"',
            f'slapcat -F "$TO/slapd.d" -g -n {number} -l "$WORK/again.ldif"',
            f'[ "$(grep -c "^dn:" "$WORK/again.ldif")" -eq {sum(each.rows for each in stream.rows)} ] ||'
            f' stop "{place}: not all entries were loaded"',
            needs=_PROGRAMS,
        )
    yield from row_counts(stream)


def try_out(restored: Restored) -> Trial:
    """Load the entries into an empty folder, dump them again, and compare every entry with all its attributes.

    Raises:
        BackupError: slapadd does not run here, which says nothing of the entries.
    """
    stream, runner = restored.stream, restored.runner
    config = restored.place if stream.name == CONFIG else restored.place.with_name("config.ldif")
    if not config.is_file():
        return Trial(VerifyLevel.L3)
    readable = runner.run(("test", "-r", str(restored.place)))
    if readable.exit_code:
        raise cannot_try("test -r", readable, package="slapd")
    settings = restored.scratch / "slapd.d"
    moved = _moved(config.read_bytes(), restored.scratch)
    folders = [found[1].decode("utf-8", "replace") for found in _FOLDER.finditer(moved)]
    _required(runner, ("mkdir", "--", str(settings), *folders))
    done = _slap(runner, "slapadd", ("-F", str(settings), "-n", "0"), stdin=moved)
    if done.exit_code:
        return Trial(VerifyLevel.L3, (_refusal(done),))
    number = "0"
    if stream.name != CONFIG:
        number = stream.name.rpartition("-")[2]
        done = _slap(runner, "slapadd", ("-F", str(settings), "-g", "-n", number, "-l", str(restored.place)))
        if done.exit_code:
            return Trial(VerifyLevel.L3, (_refusal(done),))
    again = restored.scratch / "again.ldif"
    done = _slap(runner, "slapcat", ("-F", str(settings), "-g", "-o", "ldif-wrap=no", "-n", number, "-l", str(again)))
    if done.exit_code:
        return Trial(VerifyLevel.L3, (_refusal(done),))
    wanted = _entries(moved.split(b"\n")) if stream.name == CONFIG else _entries_of(restored.place)
    expected = sum(rows.rows for rows in stream.rows)
    return _compared(wanted, _entries_of(again), expected)


def _moved(config: bytes, folder: Path) -> bytes:
    """Return a configuration whose databases lie in a folder of the trial's own, numbered."""
    numbers = iter(range(1, 1 << 30))
    return _FOLDER.sub(lambda _found: f"olcDbDirectory: {folder}/database-{next(numbers)}".encode(), config)


def _compared(wanted: dict[bytes, str], found: dict[bytes, str], expected: int) -> Trial:
    problems = [f"{name}: not the same after a restore" for digest, name in wanted.items() if digest not in found]
    problems += [f"{name}: nobody backed it up so" for digest, name in found.items() if digest not in wanted]
    if len(found) != expected:
        problems.append(f"{len(found)} entries instead of {expected}")
    return Trial(VerifyLevel.L4, tuple(problems[:MAX_PROBLEMS]), f"{len(found)} entries compared")


def _entries_of(path: Path) -> dict[bytes, str]:
    with path.open("rb") as file:
        return _entries(line.removesuffix(b"\n") for line in file)


def _entries(lines: Iterable[bytes]) -> dict[bytes, str]:
    """Return the digest of each entry, whatever the order of its attributes, and its name as LDIF has it."""
    found: dict[bytes, str] = {}
    entry: list[bytes] = []
    for line in chain(lines, (b"",)):
        if line:
            entry.append(line)
        elif entry:
            digest = hashlib.sha256(b"\n".join(sorted(entry))).digest()
            found[digest] = show_text(entry[0].decode("utf-8", "replace"), 200)
            entry = []
    return found


def _slap(runner: Runner, program: str, arguments: Sequence[str], *, stdin: bytes = b"") -> Completed:
    done = runner.run((program, *arguments), stdin=stdin, timeout_seconds=SECONDS)
    if done.exit_code in {126, 127} or was_stopped(done):
        raise cannot_try(program, done, package="slapd")
    return done


def _required(runner: Runner, argv: Sequence[str]) -> None:
    done = runner.run(argv)
    if done.exit_code:
        raise cannot_try(argv[0], done, package="slapd")


def _refusal(done: Completed) -> str:
    said = show_text(" ".join((done.stderr or done.stdout).decode("utf-8", "replace").split())[-300:], 300)
    return f"it is not taken: {said or done.exit_code}"


FORMAT = Format(place=place, guide=guide, try_out=try_out)
