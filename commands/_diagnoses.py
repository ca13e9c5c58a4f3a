"""What `portalops doctor` looks at: each diagnosis is a function that yields what it found.

A diagnosis reads and changes nothing. What it could not find out it says as unknown.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from portalops.config.layers import show_path
from portalops.errors import ConfigurationError, LedgerMissing, PortalOpsError
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg, nmsg
from portalops.reports.document import Status, Tone

if TYPE_CHECKING:
    from commands._session import Session
    from portalops.config import KindTable
    from portalops.ledger.ledger import Ledger

LOW_SPACE_PERCENT = 10
LOW_SPACE_BYTES = 1 << 30
"""Less than both of these free is worth a warning."""
CHAIN_LENGTH = 200
"""How many of the newest records are held against each other; `portalops ledger verify` reads all."""
STOCK_PROGRAMS = ("age", "zstd", "tar", "sha256sum")
"""What a restore without portalops takes (RESTORE.en.md in each set)."""
LIBRARIES = ("pydantic", "typer", "sqlalchemy", "cryptography", "pyrage", "paramiko", "boto3", "httpx")


class State(Enum):
    """How a diagnosis came out."""

    GOOD = Status(msg("good"), Tone.GOOD)
    NOTE = Status(msg("note"), Tone.NEUTRAL)
    WARNING = Status(msg("warning"), Tone.UNSURE)
    UNKNOWN = Status(msg("unknown"), Tone.UNSURE)
    BAD = Status(msg("bad"), Tone.BAD)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line of the doctor's answer."""

    subject: str
    state: State
    seen: Message
    cure: Message | None = None


Examination = Callable[["Session"], Iterator[Diagnosis]]

EXAMINATIONS: dict[str, Examination] = {}
"""Every examination by its subject, in the order of this file."""


def examination(function: Examination) -> Examination:
    """Add a function to what the doctor looks at; its name is the subject."""
    EXAMINATIONS[function.__name__.replace("_", "-")] = function
    return function


def examine(session: Session) -> tuple[Diagnosis, ...]:
    """Look at everything; an examination that fails is unknown and stops no other."""
    found: list[Diagnosis] = []
    for subject, function in EXAMINATIONS.items():
        try:
            found += function(session)
        except ConfigurationError as error:
            if subject == "configuration":
                found.append(Diagnosis(subject, State.BAD, error.message, error.hint))
            else:
                found.append(Diagnosis(subject, State.UNKNOWN, msg("not looked at: the configuration is wrong")))
        except PortalOpsError as error:
            found.append(Diagnosis(subject, State.BAD, error.message, error.hint))
        except OSError as error:
            found.append(
                Diagnosis(subject, State.UNKNOWN, msg("could not be looked at: {cause}", cause=cause_of(error)))
            )
    return tuple(found)


@examination
def configuration(session: Session) -> Iterator[Diagnosis]:
    """The files are read, and only trusted people can change them."""
    settings = session.settings
    here = "configuration"
    yield Diagnosis(
        here, State.GOOD, msg("{files} can be read", files=", ".join(show_path(path) for path in settings.files))
    )
    for path in settings.files:
        status = path.stat()
        if status.st_mode & 0o022:
            yield Diagnosis(
                here,
                State.WARNING,
                msg("{path} can be changed by others: mode {mode}", path=show_path(path), mode=_mode(status)),
                msg("Run 'chmod go-w {path}': whoever changes it decides what portalops runs.", path=show_path(path)),
            )


@examination
def keys(session: Session) -> Iterator[Diagnosis]:
    """Two different keys open the sets, and no private one lies here."""
    from portalops.config.keys import private_half  # noqa: PLC0415  # start-up time

    here = "keys"
    public: set[str] = set()
    for setting in session.settings.backup.recipient_settings:
        try:
            public.add(setting.read().public_key)
        except ConfigurationError as error:
            yield Diagnosis(here, State.BAD, error.message, error.hint)
        if setting.file is None or setting.file.suffix != ".pub" or not private_half(setting.file).exists():
            continue
        private = private_half(setting.file)
        yield Diagnosis(
            here,
            State.WARNING,
            msg("the private key of {name} lies on this machine: {path}", name=setting.name, path=show_path(private)),
            msg(
                "Copy it to two USB sticks or paper, keep them apart, then run 'shred -u {path}'.",
                path=show_path(private),
            ),
        )
        yield from _private(here, private)
    if len(public) >= 2:
        yield Diagnosis(here, State.GOOD, nmsg("{n} key opens the sets", "{n} keys open the sets", len(public)))
    else:
        yield Diagnosis(
            here,
            State.BAD,
            nmsg(
                "{n} key opens the sets, and two are needed", "{n} keys open the sets, and two are needed", len(public)
            ),
            msg("Name the operator's key and the escrow key in backup.recipients; 'portalops init --keys' makes them."),
        )
    signing = session.settings.signing_key
    if signing is not None and signing.exists():
        yield from _private(here, signing)


@examination
def secrets(session: Session) -> Iterator[Diagnosis]:
    """Each secret that is given by a file is its owner's alone."""
    from commands._kinds import typed_tables  # noqa: PLC0415  # start-up time
    from portalops.config.effective import references_in  # noqa: PLC0415  # start-up time
    from portalops.config.secrets import check_private_file  # noqa: PLC0415  # start-up time

    tables, problems = typed_tables(session.settings)
    for problem in problems:
        yield Diagnosis("configuration", State.BAD, problem.message, problem.hint)
    files = [reference.file for model in tables.values() for reference in references_in(model) if reference.file]
    for path in files:
        try:
            check_private_file(path)
        except ConfigurationError as error:
            yield Diagnosis("secrets", State.BAD, error.message, error.hint)
        else:
            yield Diagnosis("secrets", State.GOOD, msg("{path} is its owner's alone", path=show_path(path)))


@examination
def state_folder(session: Session) -> Iterator[Diagnosis]:
    """The ledger can be written, by nobody else, and has room."""
    yield from _folder("state-folder", session.settings.state_folder, private=True)


@examination
def reports(session: Session) -> Iterator[Diagnosis]:
    """Reports can be written, and mailed ones reach whom they are for."""
    from commands._mail_diagnoses import mailing_seen  # noqa: PLC0415  # it builds on this module

    yield from _folder("reports", session.settings.report.folder, private=False)
    yield from mailing_seen(session)


@examination
def media(session: Session) -> Iterator[Diagnosis]:
    """Each medium that is a folder is there, writable, roomy, and not on the disk that it protects."""
    from backups.media import build_medium  # noqa: PLC0415  # start-up time

    settings = session.settings
    if not settings.backup_media:
        yield Diagnosis(
            "media",
            State.BAD,
            msg("no backup medium is configured"),
            msg("Add [[backup.medium]] to the configuration."),
        )
    for table in settings.backup_media:
        folder = next(iter(build_medium(table).places()), None)
        if folder is None:  # only folders of this machine can be looked at without connecting to something
            yield Diagnosis(
                "media",
                State.NOTE,
                msg("{id}: a medium of kind {kind} is not tried here", id=table.id, kind=table.kind),
                msg("Run 'portalops media check {id}': it lists the sets there and tries to write.", id=table.id),
            )
            continue
        mount_point = path_of(table, "mount_point")
        if mount_point is not None and not mount_point.is_mount():
            yield Diagnosis(
                "media",
                State.BAD,
                msg("{id}: nothing is mounted on {path}", id=table.id, path=show_path(mount_point)),
                msg("Attach and mount the disk: no set is written to it until then."),
            )
            continue
        if not folder.exists() and table.values.get("create") is not True:
            yield Diagnosis(
                "media",
                State.BAD,
                msg("{id}: there is no folder {path}", id=table.id, path=show_path(folder)),
                msg("Mount the disk, or make the folder: mkdir -p {path}", path=show_path(folder)),
            )
            continue
        yield from _folder("media", folder, private=False, name=table.id)
        if device_of(folder) == device_of(settings.state_folder):
            yield Diagnosis(
                "media",
                State.WARNING,
                msg("the medium {id} lies on the same file system as the state folder", id=table.id),
                msg(
                    "Mount another disk at {path}: one broken disk would take the data and this copy.",
                    path=show_path(folder),
                ),
            )


@examination
def media_register(session: Session) -> Iterator[Diagnosis]:
    """Each medium is in the register, was read lately, and has not expired; nothing is known before there is a ledger."""
    from commands._media_register import lines_of  # noqa: PLC0415  # start-up time

    here = "media-register"
    try:
        session.ledger  # noqa: B018  # opened, or there is none
    except LedgerMissing:
        return
    for line in lines_of(session):
        for alarm in line.alarms:
            yield Diagnosis(
                here,
                State.WARNING,
                msg("{id}: {problem}", id=line.medium.id, problem=alarm),
                msg("See 'portalops media list'; 'portalops media check {id}' looks at it.", id=line.medium.id),
            )
        if not line.alarms:
            yield Diagnosis(
                here,
                State.GOOD,
                msg("{id} was read at {moment}", id=line.medium.id, moment=line.medium.read_at or session.clock.now()),
            )
        if line.expiring.soon:
            yield Diagnosis(
                here,
                State.NOTE,
                nmsg(
                    "{id}: {n} copy was read so long ago that it soon no longer counts as verified, from {moment} on",
                    "{id}: {n} copies were read so long ago that they soon no longer count as verified, from {moment} on",
                    line.expiring.soon,
                    id=line.medium.id,
                    moment=line.expiring.next_at or session.clock.now(),
                ),
                msg("The verify job reads them in time if it runs; 'portalops backup verify' does it now."),
            )


@examination
def sources(session: Session) -> Iterator[Diagnosis]:
    """Each file or folder that is to be backed up can be read here."""
    for table in session.settings.backup_sources:
        for path in _source_paths(table):
            if not path.exists():
                yield Diagnosis(
                    "sources",
                    State.BAD,
                    msg("{id}: {path} is not there", id=table.id, path=show_path(path)),
                    msg("Correct {place}, or bring the file back.", place=table.place),
                )
            elif not os.access(path, os.R_OK):
                yield Diagnosis(
                    "sources",
                    State.BAD,
                    msg("{id}: {path} cannot be read by this user", id=table.id, path=show_path(path)),
                    msg("Run portalops as a user that may read it."),
                )
            else:
                yield Diagnosis(
                    "sources", State.GOOD, msg("{id}: {path} can be read", id=table.id, path=show_path(path))
                )


@examination
def servers(session: Session) -> Iterator[Diagnosis]:
    """Each server but this machine can be told from any other, and there is a key to log in with."""
    from commands._servers import enrolments_of  # noqa: PLC0415  # start-up time

    ways = session.settings.servers.ways
    enrolled = enrolments_of(session) if ways else {}
    for identity in sorted({way.identity for way in ways.values() if way.identity is not None}):
        yield from _private("servers", identity)
    for host, way in ways.items():
        if way.identity is None:
            seen = msg("no private key is configured for the host {host}", host=host)
            cure = msg("Name one as identity_file in [checks.ssh]; 'ssh-keygen -t ed25519' makes it.")
            yield Diagnosis("servers", State.BAD, seen, cure)
        elif host not in enrolled:
            seen = msg("host {host} at {address} has no enrolled host key", host=host, address=way.host[:80])
            cure = msg("Run 'portalops host enroll {host}' with the fingerprint on paper.", host=host)
            yield Diagnosis("servers", State.WARNING, seen, cure)
        else:
            seen = msg("{host} is known by {fingerprint}", host=host, fingerprint=enrolled[host].enrolment.fingerprint)
            yield Diagnosis("servers", State.GOOD, seen)


@examination
def ledger(session: Session) -> Iterator[Diagnosis]:
    """The newest records hold together, and the clock is not behind them."""
    here = "ledger"
    try:
        opened = session.ledger
    except LedgerMissing as error:
        yield Diagnosis(here, State.NOTE, error.message, error.hint)
        return
    newest = opened.last()
    if newest is None:
        yield Diagnosis(here, State.NOTE, msg("the ledger is empty"), msg("Run 'portalops run'."))
        return
    now = session.clock.now()
    if newest.at > now + timedelta(seconds=1):
        yield Diagnosis(
            here,
            State.BAD,
            msg("the clock is behind the newest record: {now} and {newest}", now=now, newest=newest.at),
            msg("Set the clock right; nothing can be recorded until then."),
        )
    yield broken_link(opened) or Diagnosis(
        here,
        State.GOOD,
        nmsg("{n} record; the newest ones hold together", "{n} records; the newest ones hold together", opened.count()),
    )


@examination
def signing(session: Session) -> Iterator[Diagnosis]:
    """A key signs that the ledger knows, and the newest records are signed."""
    from commands._anchor_diagnoses import signing_seen  # noqa: PLC0415  # it builds on this module

    yield from signing_seen(session)


@examination
def anchors(session: Session) -> Iterator[Diagnosis]:
    """Heads are kept where nobody here can change them."""
    from commands._anchor_diagnoses import anchors_seen  # noqa: PLC0415  # it builds on this module

    yield from anchors_seen(session)


@examination
def time(session: Session) -> Iterator[Diagnosis]:
    """The clock is kept by a time service."""
    answer = session.runner.run(("timedatectl", "show", "-p", "NTPSynchronized", "--value"), timeout_seconds=5)
    said = answer.stdout.decode("utf-8", "replace").strip()
    if answer.exit_code == 0 and said in {"yes", "no"}:
        good = said == "yes"
        yield Diagnosis(
            "time",
            State.GOOD if good else State.BAD,
            msg("the clock is kept by a time service") if good else msg("the clock is not kept by a time service"),
            None if good else msg("Start one: systemctl enable --now systemd-timesyncd, or chrony."),
        )
        return
    tracking = session.runner.run(("chronyc", "-c", "tracking"), timeout_seconds=5)
    leap = tracking.stdout.decode("utf-8", "replace").strip().rpartition(",")[2]
    if tracking.exit_code == 0 and leap:
        good = leap != "Not synchronised"
        yield Diagnosis(
            "time",
            State.GOOD if good else State.BAD,
            msg("the clock is kept by a time service") if good else msg("the clock is not kept by a time service"),
            None if good else msg("See 'chronyc sources'."),
        )
        return
    yield Diagnosis(
        "time",
        State.UNKNOWN,
        msg("whether a time service keeps the clock could not be found out"),
        msg("Install chrony or systemd-timesyncd; in a container, the machine around it keeps the clock."),
    )


@examination
def programs(_session: Session) -> Iterator[Diagnosis]:
    """The stock programs are there that restore a set without portalops."""
    absent = [name for name in STOCK_PROGRAMS if shutil.which(name) is None]
    if absent:
        yield Diagnosis(
            "programs",
            State.NOTE,
            msg("not here for restoring without portalops: {programs}", programs=", ".join(absent)),
            msg("Install them where sets are restored: apt install age zstd tar coreutils"),
        )
    else:
        yield Diagnosis("programs", State.GOOD, msg("age, zstd, tar and sha256sum are here"))


@examination
def terminal(session: Session) -> Iterator[Diagnosis]:
    """Vietnamese can be shown."""
    environment = session.environment
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    if "utf" in locale.lower():
        yield Diagnosis("terminal", State.GOOD, msg("the locale is {locale}", locale=locale[:40]))
    else:
        yield Diagnosis(
            "terminal",
            State.NOTE,
            msg("the locale is {locale}, which may not show Vietnamese", locale=locale[:40] or "C"),
            msg("Run 'export LC_ALL=C.UTF-8'."),
        )


@examination
def libraries(_session: Session) -> Iterator[Diagnosis]:
    """The libraries are installed."""
    found: list[str] = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Diagnosis(
                "libraries", State.BAD, msg("{name} is not installed", name=name), msg("Install portalops again.")
            )
    yield Diagnosis("libraries", State.GOOD, msg("{versions}", versions=", ".join(found)))


def broken_link(opened: Ledger) -> Diagnosis | None:
    """Return the newest place where two neighbouring records do not hold together."""
    following = None
    for record in opened.records(newest_first=True, limit=CHAIN_LENGTH):
        digest = hashlib.sha256(record.line).hexdigest()
        if following is not None and (following.prev != digest or following.seq != record.seq + 1):
            return Diagnosis(
                "ledger",
                State.BAD,
                msg("record {seq} does not follow from the one before", seq=following.seq),
                msg("Change nothing and run 'portalops ledger verify'."),
            )
        following = record
    return None


def _folder(subject: str, folder: Path, *, private: bool, name: str = "") -> Iterator[Diagnosis]:
    shown = msg("{name}: {path}", name=name, path=show_path(folder)) if name else msg("{path}", path=show_path(folder))
    if folder.exists() and not folder.is_dir():
        yield Diagnosis(subject, State.BAD, msg("{folder} is no folder", folder=shown), msg("Correct the path."))
        return
    existing = _nearest(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        yield Diagnosis(
            subject,
            State.BAD,
            msg("{folder} cannot be written by this user", folder=shown),
            msg("Check the owner and mode: ls -ld {path}", path=show_path(existing)),
        )
        return
    if private and folder.exists() and folder.stat().st_mode & 0o022:
        yield Diagnosis(
            subject,
            State.BAD,
            msg("{folder} can be written by others: mode {mode}", folder=shown, mode=_mode(folder.stat())),
            msg("Run 'chmod go-w {path}'.", path=show_path(folder)),
        )
    usage = psutil.disk_usage(str(existing))
    if usage.free < LOW_SPACE_BYTES and usage.percent > 100 - LOW_SPACE_PERCENT:
        yield Diagnosis(
            subject,
            State.WARNING,
            msg("{folder} has little room: {percent} % used", folder=shown, percent=str(usage.percent)),
            msg("Free space, or move the folder to a larger disk."),
        )
    elif folder.exists():
        yield Diagnosis(
            subject, State.GOOD, msg("{folder} can be written; {free} MiB free", folder=shown, free=usage.free >> 20)
        )
    else:
        yield Diagnosis(
            subject,
            State.NOTE,
            msg("{folder} is not there yet and can be made; {free} MiB free", folder=shown, free=usage.free >> 20),
        )


def _private(subject: str, path: Path) -> Iterator[Diagnosis]:
    from portalops.config.secrets import check_private_file  # noqa: PLC0415  # start-up time

    try:
        check_private_file(path)
    except ConfigurationError as error:
        yield Diagnosis(subject, State.BAD, error.message, error.hint)


def _nearest(path: Path) -> Path:
    """Return a path, or the nearest folder above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def device_of(path: Path) -> int:
    """Return the file system of a path, or of the nearest folder above it that exists."""
    return _nearest(path).stat().st_dev


def path_of(table: KindTable, key: str) -> Path | None:
    """Return a path that a table names under a key."""
    value = table.values.get(key)
    return table.folder / Path(value).expanduser() if isinstance(value, str) else None


def _source_paths(table: KindTable) -> Sequence[Path]:
    """Return the files and folders that a source names, where it reads files of this machine."""
    values: Mapping[str, object] = table.values
    if "host" in values or "ssh" in values:
        return ()
    included = values.get("include")
    named = [*included] if isinstance(included, list) else []
    named += [values[key] for key in ("database", "path") if isinstance(values.get(key), str)]
    return [table.folder / Path(text).expanduser() for text in named if isinstance(text, str) and "*" not in text]


def _mode(status: os.stat_result) -> str:
    return f"{stat.S_IMODE(status.st_mode):04o}"
