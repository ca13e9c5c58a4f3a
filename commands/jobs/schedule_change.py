"""Puts the schedule's files in place, switches their timers on, and takes all of it away again: wholly, or not at all.

Every check comes before the first write. What was written or switched on is taken back if anything fails after that.
"""

from __future__ import annotations

import difflib
import os
import pwd
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from commands.jobs.schedule_state import Places
from portalops.errors import ScheduleRefused
from portalops.json_text import read_json
from portalops.ledger.ledger import FILE as LEDGER_FILE
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text
from portalops.ports import Completed, Runner
from portalops.reports.document import Status, Tone
from portalops.schedule.crontab import FILE as CRON_FILE
from portalops.schedule.marks import FileOwner, origin_of
from portalops.schedule.plan import Demands, ServiceCredential
from portalops.schedule.standing import NAMES, FileState, InstalledFile, compared
from portalops.schedule.systemd import read_units, refusal
from portalops.schedule.units import UnitFile
from portalops.system.unit_folder import UnitFolder

SYSTEMCTL_SECONDS = 120.0
"""Stopping a service waits until its work has ended cleanly."""

TRIAL_SECONDS = 60.0
_STARTING = (".timer", ".socket")
"""Units that are switched on: they start the others."""


class Action(Enum):
    """What becomes of a file."""

    WRITTEN = Status(msg("written"), Tone.GOOD)
    UNCHANGED = Status(msg("unchanged"), Tone.NEUTRAL)
    REMOVED = Status(msg("removed"), Tone.GOOD)
    KEPT = Status(msg("left alone"), Tone.UNSURE)
    REFUSED = Status(msg("refused"), Tone.BAD)


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file, and what becomes of it."""

    file: InstalledFile
    action: Action
    old: bytes = b""
    new: bytes = b""

    def diff(self) -> str:
        """Return what would change in it, as diff(1) shows it; empty if nothing would."""
        lines = [each.decode("utf-8", "replace").splitlines(keepends=True) for each in (self.old, self.new)]
        return "".join(difflib.unified_diff(lines[0], lines[1], self.file.path, f"{self.file.path} (new)", n=1))


class Installer:
    """Changes the schedule of one machine, or of an image's root folder."""

    def __init__(self, runner: Runner, places: Places, *, root: Path | None) -> None:
        """Make one.

        Args:
            runner: for systemctl(1).
            places: where the files lie.
            root: the root folder of an image, which no systemd runs in; None for this machine.
        """
        self._runner = runner
        self._places = places
        self._root = root
        self._units = UnitFolder(places.units)
        self._cron = UnitFolder(places.cron)

    def changes(self, planned: Sequence[UnitFile], *, by_cron: bool, force: bool) -> tuple[FileChange, ...]:
        """Return what installing would do to each file.

        Raises:
            ScheduleRefused: what is there cannot be read.
        """
        folder = self._cron if by_cron else self._units
        found = self._found(by_cron=by_cron)
        wanted = {file.name: file.data for file in planned}
        states = compared(planned, found, str(folder.path), {} if by_cron else folder.drop_ins(NAMES))
        return tuple(
            FileChange(
                file,
                _action(file.state, is_wanted=file.name in wanted, force=force and not Path(file.path).is_symlink()),
                found.get(file.name, b""),
                wanted.get(file.name, b""),
            )
            for file in states
        )

    def require_one_way(self, *, by_cron: bool) -> None:
        """Make sure that the other way is not installed.

        Raises:
            ScheduleRefused: it is, by portalops or by hand.
        """
        other = self._found(by_cron=not by_cron)
        knocks = (
            name
            for name, data in other.items()
            if not by_cron or name.endswith(".timer") or origin_of(data) is not FileOwner.FOREIGN
        )
        name = next(knocks, None)
        if name is not None:
            path = (self._units if by_cron else self._cron).path / name
            raise ScheduleRefused(
                msg("{path} exists: cron and systemd would both start the jobs", path=str(path)),
                msg("Run 'portalops schedule uninstall' first; remove by hand what was made by hand."),
            )

    def require_allowed(self, changes: Iterable[FileChange]) -> None:
        """Make sure that nobody else's file is in the way.

        Raises:
            ScheduleRefused: one is.
        """
        for change in changes:
            if change.action is not Action.REFUSED:
                continue
            path = change.file.path
            if Path(change.file.path).is_symlink():
                raise ScheduleRefused(
                    msg("{path} is a link or masked, so it is not portalops's to write", path=path),
                    msg("Run 'systemctl unmask {unit}', or remove the link.", unit=change.file.name),
                )
            if change.file.state is FileState.EDITED:
                raise ScheduleRefused(
                    msg("{path} was edited by hand", path=path),
                    msg(
                        "See what differs by --dry-run and move it into {path}.d/local.conf, which is never touched;"
                        " --force overwrites the file.",
                        path=path,
                    ),
                )
            raise ScheduleRefused(
                msg("{path} was not made by portalops", path=path),
                msg("See what differs by --dry-run. Remove the file, or let --force overwrite it."),
            )

    def require_writable(self, command: str, *, by_cron: bool) -> None:
        """Make sure that files can be written where they belong, and that there is a systemd that reads them.

        Raises:
            ScheduleRefused: something of it does not hold.
        """
        if not by_cron and self._root is None and not self._places.systemd_runs.is_dir():
            raise ScheduleRefused(
                msg("systemd does not run here, so its timers start nothing"),
                msg("Take --cron where a cron daemon runs, or 'portalops schedule watch' in a container."),
            )
        folder = self._cron if by_cron else self._units
        error = folder.refusal()
        if error is None:
            return
        if isinstance(error.__cause__, PermissionError) or os.geteuid() != 0:
            raise ScheduleRefused(error.message, msg("Run it as root: {command}", command=f"sudo {command}")) from error
        hint = msg("Make the folder writable; until then 'portalops schedule watch' needs no file there.")
        if not folder.path.is_dir():
            hint = msg("Make the folder {path}, or take the other of --systemd and --cron.", path=str(folder.path))
        raise ScheduleRefused(error.message, hint) from error

    def install_units(self, changes: Sequence[FileChange]) -> bool:
        """Put units in place and switch their timers on; return whether anything had to be done.

        Raises:
            ScheduleRefused: systemd refused; everything is as it was.
            FileUnwritable: a file could not be written; everything is as it was.
        """
        new = {change.file.name: change.new for change in changes if change.action is Action.WRITTEN}
        gone = [change.file.name for change in changes if change.action is Action.REMOVED]
        timers = [change.file.name for change in changes if change.new and change.file.name.endswith(_STARTING)]
        was_on = self._switched_on([*timers, *gone])
        if not new and not gone and all(name in was_on for name in timers):
            return False
        old_timers = [name for name in gone if name.endswith(_STARTING)]
        try:
            if old_timers:
                self._systemctl("disable", *self._now(), *old_timers)
            with self._units.changing(new, gone):
                try:
                    self._switch_on(timers, restarted=[name for name in timers if name in new or name not in was_on])
                except BaseException:
                    self._try_systemctl("disable", *self._now(), *(name for name in timers if name not in was_on))
                    raise
        except BaseException:
            self._back(was_on)
            raise
        return True

    def install_cron(self, changes: Sequence[FileChange]) -> bool:
        """Put the cron file in place; return whether anything had to be done. Cron sees it by itself."""
        new = {change.file.name: change.new for change in changes if change.action is Action.WRITTEN}
        gone = [change.file.name for change in changes if change.action is Action.REMOVED]
        if not new and not gone:
            return False
        with self._cron.changing(new, gone):
            pass
        return True

    def removals(self) -> tuple[FileChange, ...]:
        """Return what uninstalling would do to each file that has the name of one of portalops's."""
        changes = []
        for folder, names in ((self._units, NAMES), (self._cron, (CRON_FILE,))):
            found = self._found(by_cron=folder is self._cron)
            drop_ins = folder.drop_ins(names)
            for name, data in found.items():
                origin = origin_of(data)
                is_own = origin is FileOwner.OWN and not (folder.path / name).is_symlink()
                state = {FileOwner.OWN: FileState.CURRENT, FileOwner.EDITED: FileState.EDITED}.get(
                    origin, FileState.FOREIGN
                )
                file = InstalledFile(name, str(folder.path / name), state, drop_ins.get(name, ()))
                changes.append(FileChange(file, Action.REMOVED if is_own else Action.KEPT, data))
        return tuple(changes)

    def remove(self, changes: Sequence[FileChange]) -> None:
        """Stop, switch off and remove what is portalops's own.

        Raises:
            ScheduleRefused: systemd refused; everything is as it was.
            FileUnwritable: a file could not be removed; everything is as it was.
        """
        gone = [change.file for change in changes if change.action is Action.REMOVED]
        units = [file.name for file in gone if file.name in NAMES]
        timers = [name for name in units if name.endswith(_STARTING)]
        services = [name for name in units if name.endswith(".service") and "@" not in name]
        was_on = self._switched_on(timers)
        try:
            if timers:
                self._systemctl("disable", *self._now(), *timers)
            if services and self._root is None:
                self._systemctl("stop", *services)
            stamped = [name for name in timers if name.endswith(".timer")]
            if stamped and self._root is None:  # the stamp of its last elapse: a later timer of that name is a new one
                self._try_systemctl("clean", "--what=state", *stamped)
            with (
                self._cron.changing({}, [file.name for file in gone if file.name == CRON_FILE]),
                self._units.changing({}, units),
            ):
                if units and self._root is None:
                    self._systemctl("daemon-reload")
        except BaseException:
            self._back(was_on)
            raise
        if services and self._root is None:
            self._try_systemctl("reset-failed", *services)

    def _found(self, *, by_cron: bool) -> Mapping[str, bytes]:
        folder, names = (self._cron, (CRON_FILE,)) if by_cron else (self._units, NAMES)
        try:
            return folder.read(names)
        except OSError as error:
            raise ScheduleRefused(
                msg("the files in {path} cannot be read: {cause}", path=str(folder.path), cause=cause_of(error)),
                msg("Run 'portalops schedule status' as root."),
            ) from error

    def _switched_on(self, names: Sequence[str]) -> frozenset[str]:
        """Return the timers and sockets that are enabled, and run where a systemd does."""
        timers = [name for name in names if name.endswith(_STARTING)]
        if not timers:
            return frozenset()
        if self._root is not None:
            done = (self._run("is-enabled", name) for name in timers)
            return frozenset(
                name for name, answer in zip(timers, done, strict=True) if answer.stdout.strip() == b"enabled"
            )
        states = read_units(self._runner, timers)
        if isinstance(states, Message):
            raise ScheduleRefused(msg("systemd does not answer: {cause}", cause=states), _QUERY)
        return frozenset(
            name for name, state in states.items() if state.enabled == "enabled" and state.active == "active"
        )

    def _switch_on(self, timers: Sequence[str], *, restarted: Sequence[str]) -> None:
        if self._root is None:
            self._systemctl("daemon-reload")
        if timers:
            self._systemctl("enable", *timers)
        if restarted and self._root is None:
            self._systemctl("restart", *restarted)
        missing = [name for name in timers if name not in self._switched_on(timers)]
        if missing:
            raise ScheduleRefused(
                msg("{unit} does not run after it was switched on", unit=", ".join(missing)),
                msg("See what systemd says: systemctl status {unit}", unit=missing[0]),
            )

    def _back(self, was_on: Iterable[str]) -> None:
        """Let systemd have what it had, after the files are as they were."""
        if self._root is None:
            self._try_systemctl("daemon-reload")
        if timers := sorted(was_on):
            self._try_systemctl("enable", *self._now(), *timers)

    def _now(self) -> tuple[str, ...]:
        return ("--now",) if self._root is None else ()

    def _systemctl(self, *words: str) -> None:
        done = self._run(*words)
        if done.exit_code != 0:
            called = show_text(" ".join(("systemctl", *words)), 120)
            raise ScheduleRefused(msg("'{command}' failed: {cause}", command=called, cause=refusal(done)), _QUERY)

    def _try_systemctl(self, *words: str) -> None:
        self._run(*words)

    def _run(self, *words: str) -> Completed:
        where = () if self._root is None else (f"--root={self._root}",)
        return self._runner.run(("systemctl", "--no-ask-password", *where, *words), timeout_seconds=SYSTEMCTL_SECONDS)


_QUERY = msg("See what systemd says: journalctl -b -p warning -n 50")


def require_ready(runner: Runner, demands: Demands, *, by_cron: bool) -> None:
    """Make sure that what is to be called can be called as the account that it is to be called as.

    Raises:
        ScheduleRefused: there is no such account, it cannot run portalops, read the configuration or write the state folder,
            or a credential is not there.
    """
    _require_program(Path(demands.program))
    try:
        account = pwd.getpwnam(demands.user)
    except KeyError as error:
        raise ScheduleRefused(
            msg("there is no account {user}", user=demands.user),
            msg(
                "Make it: useradd --system --home-dir /var/lib/portalops --shell /usr/sbin/nologin {user}; or name another"
                " one as user in [schedule].",
                user=demands.user,
            ),
        ) from error
    for credential in demands.credentials:
        _require_credential(credential, account, by_cron=by_cron)
    become = _become(account)
    if become is None:
        return
    called = (demands.program, "--config", demands.config, "--json", "config", "check")
    done = runner.run((*become, *called), timeout_seconds=TRIAL_SECONDS)
    if done.exit_code != 0:
        raise ScheduleRefused(
            msg("as {user}, 'portalops config check' fails: {cause}", user=demands.user, cause=_describe(done)),
            msg(
                "Let the account read the configuration and what it names, such as by 'chgrp {user} {config}' and 'chmod 640"
                " {config}'.",
                user=demands.user,
                config=demands.config,
            ),
        )
    for path in demands.reads:
        if runner.run((*become, "test", "-r", path), timeout_seconds=TRIAL_SECONDS).exit_code != 0 and os.path.lexists(
            path
        ):
            raise ScheduleRefused(
                msg("{user} cannot read {path}", user=demands.user, path=path),
                msg(
                    "Give the file to the account: chown {user} {path}; its folder must let the account in.",
                    user=demands.user,
                    path=path,
                ),
            )
    for folder in demands.writes:
        there = next(str(path) for path in (Path(folder), *Path(folder).parents) if path.exists())
        trial = (*become, "test", "-d", there, "-a", "-w", there)
        if runner.run(trial, timeout_seconds=TRIAL_SECONDS).exit_code != 0:
            raise ScheduleRefused(
                msg("{user} cannot write the folder {path}", user=demands.user, path=folder),
                msg(
                    "Make it the account's own: install -d -o {user} -m 700 {path}; with a ledger of before in it: chown -R"
                    " {user}: {path}",
                    user=demands.user,
                    path=folder,
                ),
            )
        ledger = os.path.join(folder, LEDGER_FILE)  # one that root began in the account's own folder
        if (
            os.path.lexists(ledger)
            and runner.run((*become, "test", "-w", ledger), timeout_seconds=TRIAL_SECONDS).exit_code
        ):
            raise ScheduleRefused(
                msg("{user} cannot write the ledger {path}", user=demands.user, path=ledger),
                msg("Give all of it to the account: chown -R {user}: {path}", user=demands.user, path=folder),
            )


@contextmanager
def made_folders(runner: Runner, demands: Demands) -> Iterator[None]:
    """Make the folders that portalops makes by itself, as the account that will write to them: a unit needs them to be there.

    If the block fails they are gone again. A folder that the account may not make is left out, and warned of elsewhere.
    """
    become = _become(pwd.getpwnam(demands.user))
    made = []
    for folder in demands.makes if become is not None else ():
        if become is not None and not os.path.lexists(folder):
            done = runner.run((*become, "mkdir", "-p", "-m", "700", folder), timeout_seconds=TRIAL_SECONDS)
            made += [folder] if done.exit_code == 0 else []
    try:
        yield
    except BaseException:
        for folder in reversed(made):
            with suppress(OSError):
                os.rmdir(folder)
        raise


def _require_program(program: Path) -> None:
    hint = msg('Name the installed program: program = "/usr/local/bin/portalops" in [schedule].')
    try:
        status = program.stat()
    except OSError as error:
        raise ScheduleRefused(
            msg("the program {path} cannot be examined: {cause}", path=str(program), cause=cause_of(error)), hint
        ) from error
    if not program.is_absolute() or not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o111:
        raise ScheduleRefused(msg("{path} is no program", path=str(program)), hint)
    if status.st_mode & 0o002:
        raise ScheduleRefused(
            msg("everybody may change the program {path}", path=str(program)),
            msg("Run 'chmod o-w {path}': whoever changes it decides what is run.", path=str(program)),
        )


def _require_credential(credential: ServiceCredential, account: pwd.struct_passwd, *, by_cron: bool) -> None:
    path = Path(credential.path)
    if by_cron and credential.is_encrypted:
        raise ScheduleRefused(
            msg("the credential {name} is encrypted, and only systemd decrypts it", name=credential.name),
            msg("Put it as it is into {path}, or install with --systemd.", path=str(path.with_suffix(""))),
        )
    try:
        status = path.stat()
    except OSError as error:
        raise ScheduleRefused(
            msg("the credential {name} is not there: {path}: {cause}", name=credential.name, path=str(path), cause=cause_of(error)),
            msg("Put the secret into the file, with mode 600: install -D -m 600 FILE {path}", path=str(path)),
        ) from error  # fmt: skip
    if status.st_mode & 0o077:
        raise ScheduleRefused(
            msg("the credential {path} can be read or changed by others", path=str(path)),
            msg("Run 'chmod 600 {path}', and replace the secret if others have used the machine.", path=str(path)),
        )
    if by_cron and status.st_uid != account.pw_uid:
        raise ScheduleRefused(
            msg("the credential {path} does not belong to {user}, and cron passes none on", path=str(path), user=account.pw_name),
            msg("Run 'chown {user} {path}'.", user=account.pw_name, path=str(path)),
        )  # fmt: skip


def _become(account: pwd.struct_passwd) -> tuple[str, ...] | None:
    """Return the words that run a program as an account; None where this process cannot."""
    if os.geteuid() == account.pw_uid:
        return ("env",)
    if os.geteuid() != 0:
        return None
    return ("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups", "--")


def _describe(done: Completed) -> Message:
    """Return what `portalops config check` finds wrong first, or what kept it from looking."""
    try:
        envelope = read_json(done.stdout)
        found = envelope["error"] or envelope["data"][0]
        return verbatim(show_text(str(found["message"]), 300))
    except (ValueError, LookupError, TypeError):
        text = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
    if not text:
        return msg("it ended with {code}", code=str(done.exit_code))
    return verbatim(show_text(text.splitlines()[-1], 300))


def absent_folders(demands: Demands) -> Iterator[str]:
    """Yield the folders that are to be written to and are not there now."""
    yield from (path for path in demands.may_write if not os.path.isdir(path))


def _action(state: FileState, *, is_wanted: bool, force: bool) -> Action:
    match state:
        case FileState.CURRENT:
            return Action.UNCHANGED
        case FileState.ABSENT | FileState.OUTDATED:
            return Action.WRITTEN
        case FileState.NEEDLESS:
            return Action.REMOVED
        case FileState.EDITED | FileState.FOREIGN:
            if not is_wanted:
                return Action.KEPT
            return Action.WRITTEN if force else Action.REFUSED
