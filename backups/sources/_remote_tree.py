"""Files of another host as a tar stream with an index: GNU tar there, read here as it comes.

The bytes that tar prints are the stream's own; each header is read on the way, and the digest of each file taken from what
goes by. What tar says on standard error becomes lines of the set: nothing is left out in silence, but for what is mounted
inside where that was not asked for: there its folder is empty, and tar says nothing. A folder that changed meanwhile is no
fault: its members stand in the archive as they were read, and those that went are named. Words and exit codes are GNU tar's own (GNU tar manual, 3.1: "1 Some files differ", "2 Fatal error").
"""

from __future__ import annotations

import hashlib
import os
import re
import selectors
import shlex
import subprocess
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from backups.sources._patterns import is_glob
from backups.sources._program import STDERR_BYTES, Program, reached, started
from backups.sources._settings import note_gone, require_floor, unavailable
from backups.sources._tree import CACHE_SIGNATURE, CACHE_TAG, moment
from backups.streams import MAX_NAMED
from backups.tar import TarEntry
from backups.untar import TarReader
from portalops.errors import SetDamaged
from portalops.model.backups import MemberType, StreamMember
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import Hash, StreamWriter
from portalops.system.remote import Running

DIFFER, FATAL = 1, 2
"""tar's exit codes for files that changed or vanished, and for those that it could not read (or that it gave up)."""
LINE_BYTES = 64 << 10
"""A longer line of tar's is taken in pieces: a host must not fill the memory with one that never ends."""
TAR_WORDS = {"TAR_OPTIONS": ""}
"""Nothing of the account's own changes what tar does; its words are English in the neutral locale."""
_OPTIONS = (
    "tar",
    "--create",
    "--file=-",
    "--format=pax",
    # Without tar's process id and times of reading, an unchanged tree gives the same bytes again.
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
    "--acls",
    "--xattrs",
    "--xattrs-include=*",
    "--sort=name",
    "--blocking-factor=2048",  # a mebibyte a write
    "--wildcards",
    "--no-wildcards-match-slash",
)
_FOLLOW = """\
for path do
  [ -L "$path" ] || continue
  place="$(readlink -e -- "$path" && echo .)" || { set -- "$@" "$path/."; continue; }
  place="${place%??}"
  [ -d "$place" ] || [ -f "$place" ] || continue
  case "$place" in /proc/* | /sys/*) continue ;; esac
  trusted=" 0 $(id -u) $(stat -c %u -- "$place") "
  at="$path" further=0
  while [ -L "$at" ] && [ "$further" -lt 40 ]; do
    owner="$(stat -c %u -- "$at")"
    case "$trusted" in
      *" $owner "*) ;;
      *) printf '%s is a link of user %s to %s, which is not followed: name that in include\\n' "$path" "$owner" "$place" >&2
        continue 2 ;;
    esac
    next="$(readlink -- "$at" && echo .)" next="${next%??}"
    case "$next" in /*) ;; *) next="${at%/*}/$next" ;; esac
    at="$(readlink -e -- "${next%/*}/" && echo .)" at="${at%??}" at="${at%/}/${next##*/}"
    case "$at" in */ | */. | */..) at="$place" ;; esac
    further=$((further + 1))
    for other do case "$at/" in "${other%/}"/*) continue 2 ;; esac; done
    set -- "$@" "$at"
  done
done
"""
"""The dot keeps line feeds that a name ends with."""
_GLOB = re.compile(r"([*?]|\[!?[^/\]]+\])")
_LACKING = re.compile(r"(?P<path>.*): Cannot stat: (?:No such file or directory|Not a directory)", re.DOTALL)
_ESCAPED = re.compile(r"\\([0-7]{3}|[abfnrtv\\])")
_CONTROLS = dict(zip("abfnrtv\\", "\a\b\f\n\r\t\v\\", strict=True))
RECENT = 65536
"""So many members that went by are remembered for what tar says of them later: more than fit into the pipes between."""
_REPORTED = (
    # What is no fault of the set.
    ("silent", re.compile(r"Removing leading `/' from .*|Exiting with failure status due to previous errors")),
    ("skipped", re.compile(r"(?P<path>.*): socket ignored", re.DOTALL)),
    ("skipped", re.compile(r"(?P<path>.*): file is on a different filesystem; not dumped", re.DOTALL)),
    ("gone", re.compile(r"(?P<path>.*): File removed before we read it", re.DOTALL)),
    ("changed", re.compile(r"(?P<path>.*): file changed as we read it", re.DOTALL)),
    ("changed", re.compile(r"(?P<path>.*): File shrank by .*", re.DOTALL)),
)


def tar_script(
    include: Sequence[str], exclude: Sequence[str], *, one_file_system: bool, exclude_caches: bool = False
) -> str:
    """Return what sh runs on the host: GNU tar, which prints an archive.

    Links among the paths are followed by the rules of `_included.py`, which hold for names as for patterns there: the archive has
    the link and the real place. tar itself says of one that leads nowhere that it cannot stat what is behind it.

    Args:
        include: absolute paths, or patterns of them that the shell there expands.
        exclude: patterns as `_patterns` has them; none with `**`, which tar does not know.
        one_file_system: leave out what is mounted inside.
        exclude_caches: of a folder with a valid CACHEDIR.TAG print the tag alone.
    """
    options = [
        *_OPTIONS,
        *(("--one-file-system",) if one_file_system else ()),
        *(("--exclude-caches",) if exclude_caches else ()),
    ]
    for pattern in exclude:
        plain = pattern.rstrip("/").replace("\\", "\\\\")
        options += ["--anchored" if "/" in plain else "--no-anchored", f"--exclude={plain}"]
    paths = " ".join(_expanded_there(path) for path in include)
    return f'set -- {paths}\n{_FOLLOW}exec {shlex.join(options)} -- "$@"'


def tar_of_list(folder: str) -> tuple[str, ...]:
    """Return what is run on the host to have the files in a folder whose names are given, a NUL behind each."""
    return (*_OPTIONS, f"--directory={folder}", "--null", "--files-from=-")


def _expanded_there(path: str) -> str:
    """Return a path for sh, of which nothing but its pattern's signs is read."""
    if not is_glob(path):
        return shlex.quote(path)
    return "".join(
        part if _GLOB.fullmatch(part) and not re.search(r"[^\w*?\[\]!.-]", part) else shlex.quote(part)
        for part in _GLOB.split(path)
        if part
    )


def write_tree(
    source_id: str,
    program: Program,
    out: StreamWriter,
    *,
    minimum_bytes: int,
    gone_limit_percent: int = 100,
    exclude_caches: bool = False,
    may_lack: Mapping[str, bool] = types.MappingProxyType({}),
) -> None:
    """Write what tar prints on a host as a stream with an index.

    Args:
        source_id: the source's id, for errors.
        program: what runs tar on the host, by `tar_script` or `tar_of_list`.
        out: the stream.
        minimum_bytes: of the files' content.
        gone_limit_percent: how much may be removed while it is read.
        exclude_caches: tar leaves out caches, and tells nobody: each that it finds is named here.
        may_lack: paths that need not be there, and whether the set says so of each.

    Raises:
        SourceUnavailable: the host is not to be had, tar failed, or what it printed is no whole archive.
    """
    with started(source_id, program) as running:
        with suppress(BrokenPipeError):  # its exit code tells what it thinks of that
            running.stdin.write(program.given)
        running.stdin.close()
        said = Reported(out, may_lack)
        pieces = _Pieces(running, out, said, program.idle_seconds)
        reader = _Passing(iter(pieces), out, said, exclude_caches=exclude_caches)
        problem = ""
        try:
            for entry in reader:
                reader.pass_on(entry)
        except SetDamaged as error:
            problem = str(error.message.values.get("cause", error))
        _judge(source_id, running, pieces, problem, said.last if reader.position else said.first)
        if not reader.files:
            cause = msg("no file in it can be read: {said}", said=show_text(said.last, 200) or "-")
            raise unavailable(source_id, cause)
        require_floor(source_id, reader.content_bytes, minimum_bytes)
        note_gone(out, said.gone, reader.files, gone_limit_percent)


def _judge(source_id: str, running: Running, pieces: _Pieces, problem: str, words: str) -> None:
    """Make sure that all of the archive came, and that every fault which the exit code speaks of is named.

    Args:
        source_id: the source's id, for errors.
        running: what runs tar.
        pieces: all that it printed.
        problem: why that is no whole archive; empty if it is one.
        words: of what tar said, what tells most of why it failed.
    """
    if pieces.was_idle:
        raise unavailable(
            source_id, msg("{program} printed nothing for {seconds} s", program="tar", seconds=pieces.idle_seconds)
        )
    if problem and not pieces.has_ended:
        raise unavailable(source_id, msg("the output of tar on the host is not an archive: {problem}", problem=problem))
    try:
        code = running.wait(pieces.idle_seconds)
    except subprocess.TimeoutExpired as error:
        raise unavailable(source_id, msg("{program} closed its output but did not end", program="tar")) from error
    with reached(source_id):
        if (lost := running.lost()) is not None:
            raise lost
    said = pieces.reported
    said.end()
    if problem or code not in {0, DIFFER, FATAL} or said.gave_up:
        raise unavailable(
            source_id,
            msg(
                "{program} ended with exit code {exit_code}: {said}",
                program="tar",
                exit_code=code,
                said=show_text(words or problem, 300) or "-",
            ),
            msg("The host needs GNU tar 1.28 or later: run 'tar --version' there."),
        )
    said.require_named(code)


class _Passing(TarReader):
    """Reads an archive that lies in the stream's own buffers, and passes it on as it is read."""

    def __init__(
        self, pieces: Iterator[memoryview], out: StreamWriter, reported: Reported, *, exclude_caches: bool
    ) -> None:
        super().__init__(pieces)
        self._exclude_caches = exclude_caches
        self._out = out
        self._reported = reported
        self._content: Hash | None = None
        self.files = 0
        """Regular files, hard links aside."""
        self.content_bytes = 0

    def pass_on(self, entry: TarEntry) -> None:
        """Pass on a member's content, and add its line to the index."""
        self._reported.passed(entry)
        self._content = hashlib.sha256() if entry.type is MemberType.FILE else None
        offset = self.offset
        is_tag = self._exclude_caches and entry.path.endswith(f"/{CACHE_TAG}")
        begin = b""
        for piece in self.content():
            if is_tag and len(begin) < len(CACHE_SIGNATURE):
                begin += bytes(piece[: len(CACHE_SIGNATURE)])
        if is_tag:
            self._name_cache(entry, begin)
        content, self._content = self._content, None
        self._out.add_member(_member(entry, offset), content=content)
        if content is not None:
            self.files += 1
            self.content_bytes += entry.size

    def _name_cache(self, entry: TarEntry, begin: bytes) -> None:
        folder = "/" + entry.path.rpartition("/")[0]
        if begin.startswith(CACHE_SIGNATURE):
            self._out.add_skipped(f"{folder}: a cache, by its {CACHE_TAG}")
        elif entry.type is not MemberType.FILE:  # tar follows a link, and looks at the first of hard links
            self._out.add_skipped(f"{folder}: a cache, if the link {CACHE_TAG} leads to a valid tag")

    def _some(self, most: int) -> memoryview:
        taken = super()._some(most)
        self._out.filled(len(taken), content=self._content if self._left else None)
        return taken

    def _require_end(self) -> None:
        """Pass over the zeros that fill tar's last record; nothing of them is passed on."""
        held = self._held
        while True:
            if any(held):
                raise SetDamaged(
                    msg("there is extra data after its end"),
                    msg("Check the tar program of that host: run 'tar --version' there."),
                )
            piece = next(self._pieces, None)
            if piece is None:
                return
            held = memoryview(piece)


@dataclass(slots=True)
class _Pieces:
    """What tar prints, straight into the stream's buffers; what it says meanwhile goes its own way."""

    running: Running
    out: StreamWriter
    reported: Reported
    idle_seconds: int
    was_idle: bool = False
    has_ended: bool = False
    """tar prints no more."""

    def __iter__(self) -> Iterator[memoryview]:
        stdout, stderr = self.running.stdout.fileno(), self.running.stderr.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stderr, selectors.EVENT_READ)
            last = time.monotonic()
            while selector.get_map():
                # What tar says does not count: a host that only talks would hold the source for ever.
                ready = selector.select(max(0.0, last + self.idle_seconds - time.monotonic()))
                if not ready or time.monotonic() - last > self.idle_seconds:
                    self.was_idle = True
                    return
                for key, _events in ready:
                    if key.fd == stderr:
                        if not self.reported.take(os.read(stderr, STDERR_BYTES)):
                            selector.unregister(stderr)
                        continue
                    room = self.out.room()
                    got = os.readv(stdout, [room])
                    if got:
                        yield room[:got]
                        last = time.monotonic()  # after it was passed on, which may take long
                    else:
                        selector.unregister(stdout)
                        self.has_ended = True


class Reported:
    """Makes lines of the set from what tar says."""

    def __init__(self, out: StreamWriter, may_lack: Mapping[str, bool]) -> None:
        self._out = out
        self._may_lack = may_lack
        self._rest = b""
        self.first = self.last = ""
        self.gave_up = False
        self.gone = 0
        self._named: set[str] = set()
        self._recent: dict[str, TarEntry] = {}
        """Members that went by last, by path without the leading slash."""
        self._changed: dict[str, list[str]] = {}
        """What changed before its header came by: tar's lines by such a path."""

    def passed(self, entry: TarEntry) -> None:
        """Take note of a member's header."""
        path = entry.path.strip("/")
        for line in self._changed.pop(path, ()):
            self._tell_changed(line, entry)
        self._recent[path] = entry
        if len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]

    def take(self, piece: bytes) -> bytes:
        """Take what was read and return it."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._tell(line)
        return piece

    def end(self) -> None:
        """Take the last line, if it has no end."""
        if self._rest:
            self._tell(self._rest)
            self._rest = b""
        for lines in self._changed.values():
            for line in lines:
                self._out.add_changed(line)
        self._changed.clear()

    def require_named(self, code: int) -> None:
        """Make sure that a fault which the exit code speaks of stands in the set."""
        if code == FATAL and not self._named & {"unread", "lacking"}:
            self._out.add_unread(f"tar ended with exit code {code} and did not say what it could not read")
        if code == DIFFER and not self._named & {"unread", "changed", "skipped", "gone"}:
            self._out.add_changed(f"tar ended with exit code {code} and did not say what changed")

    def _tell(self, line: bytes) -> None:
        text = re.sub(r"^\S*tar: ", "", os.fsdecode(line))
        if not text.strip():
            return
        if "Error is not recoverable" in text:
            self.gave_up = True
            return
        lacking = _LACKING.fullmatch(text)
        if lacking and (named := self._may_lack.get(lacking["path"])) is not None:
            self._named.add("lacking")
            if named:
                self._out.add_skipped(f"{lacking['path']}: not there")
            return
        how, said = judged(text)
        if how == "silent":
            return
        self.first = self.first or text
        self.last = text
        self._named.add(how)
        match how:
            case "changed":
                path = unescaped(said.rpartition(": ")[0]).strip("/")
                if path in self._recent:
                    self._tell_changed(said, self._recent[path])
                elif len(self._changed) < MAX_NAMED:
                    self._changed.setdefault(path, []).append(said)
                else:
                    self._out.add_changed(said)
            case "gone":
                self.gone += 1
                self._out.add_gone(said)
            case "skipped":
                self._out.add_skipped(said)
            case _:
                self._out.add_unread(said)

    def _tell_changed(self, line: str, entry: TarEntry) -> None:
        if entry.type is not MemberType.FOLDER:
            self._out.add_changed(f"{line} (modified {moment(entry.mtime_ns)})")


def unescaped(text: str) -> str:
    r"""Return a name as it is, from the form that tar says it in.

    >>> unescaped(r"/srv/v\303\240ng")
    '/srv/vàng'
    """

    def plain(found: re.Match[str]) -> bytes:
        code = found[1]
        return bytes([int(code, 8) & 255]) if code.isdigit() else _CONTROLS[code].encode()

    parts, at = [], 0
    for found in _ESCAPED.finditer(text):
        parts += [os.fsencode(text[at : found.start()]), plain(found)]
        at = found.end()
    return os.fsdecode(b"".join((*parts, os.fsencode(text[at:]))))


def judged(text: str) -> tuple[str, str]:
    """Return what a line of tar means for the set, and how the set words it; what is not known was not read.

    >>> judged("/srv/a: file changed as we read it")
    ('changed', '/srv/a: file changed as we read it')
    >>> judged("/srv/b: Cannot open: Permission denied")
    ('unread', '/srv/b: Cannot open: Permission denied')
    """
    for how, pattern in _REPORTED:
        if pattern.fullmatch(text):
            return how, text
    return "unread", text


def _member(entry: TarEntry, offset: int) -> StreamMember:
    return StreamMember(
        type=entry.type,
        path=entry.path,
        size=entry.size if entry.type is MemberType.FILE else 0,
        mode=entry.mode,
        uid=entry.uid,
        gid=entry.gid,
        mtime_ns=entry.mtime_ns,
        offset=offset,
        link=entry.link,
    )
