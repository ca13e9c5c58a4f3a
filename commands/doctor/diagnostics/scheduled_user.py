"""The account that timers run portalops as can do there what it must: read configuration and secrets, write state, reports and media.

What works in an administrator's shell says nothing of it.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backups.media import build_medium
from commands.cli.kinds import typed_tables
from commands.doctor.as_user import ENTER, READ, WRITE, allowed
from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, good, note, unknown, warning
from commands.doctor.diagnostics.secrets import references
from commands.doctor.diagnostics.sources import source_paths
from commands.doctor.places import mode_of, nearest, owner_of, private_seen
from commands.jobs.due import plan_now
from commands.jobs.schedule_state import ScheduleSeen, inspect_schedule
from portalops.config import Settings
from portalops.config.layers import show_path
from portalops.errors import ConfigurationError
from portalops.ledger.ledger import FILE
from portalops.model.message import Message, Value, msg
from portalops.schedule.plan import plan_services
from portalops.schedule.standing import Way
from portalops.system.accounts import account_name


@dataclass(frozen=True, slots=True)
class _Need:
    about: str
    what: Message
    """What it is, such as the configuration."""
    way: str
    path: Path
    is_shared: bool = False
    """Others need it too, so it is not to be the account's own."""
    folder: Path | None = None
    """The folder that is yet to be made in `path`."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Ask, as that account, for every file that it needs."""
    session = look.session
    user = session.settings.schedule.user
    try:
        seen = inspect_schedule(plan_now(session), session.settings, session.runner)
    except ConfigurationError:  # told by the examination of the schedule
        seen = None
    ways = seen.ways if seen is not None else ()
    try:
        pwd.getpwnam(user)
    except KeyError:
        yield _absent(user, ways)
        return
    if seen is not None:
        yield from credentials_seen(seen)
    needs = [
        need
        for need in _needs(session.settings, by_capability=seen is not None and _reads_all(seen))
        if _is_there(need)
    ]
    answers = allowed(session.runner, user, [(need.way, need.path) for need in needs])
    if answers is None:
        yield unknown(
            "",
            msg(
                "whether the account {user}, which timers run portalops as, can read and write its files was not found out by {me}",
                user=user,
                me=account_name(os.geteuid()) or str(os.geteuid()),
            ),
            msg("Run 'sudo portalops doctor --only scheduled-user'."),
        )
        return
    refused: dict[str, _Need] = {}
    for need, is_allowed in zip(needs, answers, strict=True):
        if not is_allowed:
            refused.setdefault(need.about, need)  # the first of several that have one cause
    for need in refused.values():
        yield _refused(user, need)
    if not refused:
        yield good(
            "",
            msg(
                "the account {user} can read and write all that it needs: {n} files and folders",
                user=user,
                n=len({need.path for need in needs}),
            ),
        )


def _absent(user: str, ways: Sequence[Way]) -> DiagnosticLine:
    said = msg("there is no account {user}, which timers run portalops as", user=user)
    cure = msg(
        "Make it: useradd --system --home-dir /var/lib/portalops --shell /usr/sbin/nologin {user}; or name another as schedule.user.",
        user=user,
    )
    if Way.SYSTEMD in ways or Way.CRON in ways:
        return bad("", said, cure)
    return note("", said, cure)


def _needs(settings: Settings, *, by_capability: bool) -> Iterator[_Need]:
    """Yield all that a run needs of this machine's files."""
    for path in settings.files:
        yield _Need("configuration", msg("the configuration"), READ, path, is_shared=True)
    tables, _problems = typed_tables(settings)  # told by the examination of the configuration
    for table, model in tables.items():
        for key, reference in references(model):
            if reference.file is not None:
                yield _Need(f"{table.id}.{key}", msg("a secret"), READ, reference.file)
    identities = {way.identity for way in settings.servers.ways.values() if way.identity is not None}
    for path in sorted(identities):
        yield _Need("servers", msg("a private SSH key"), READ, path)
    if settings.signing_key is not None:
        yield _Need("signing", msg("the signing key"), READ, settings.signing_key)
    for setting in settings.backup.recipient_settings:
        if setting.file is not None:
            yield _Need(setting.name, msg("a public key"), READ, setting.file)
    if settings.calendar_file is not None:
        yield _Need("calendar", msg("the calendar"), READ, settings.calendar_file)
    for path in settings.vulnerabilities.bundles:
        yield _Need("vulnerabilities", msg("a bundle of vulnerabilities"), READ, path)
    yield from _written(settings)
    if not by_capability:
        for table in settings.backup_sources:
            for path in source_paths(table):
                yield _Need(table.id, msg("a backup source"), READ, path, is_shared=True)


def _written(settings: Settings) -> Iterator[_Need]:
    folders = [("state-folder", msg("the state folder"), settings.state_folder)]
    folders.append(("reports", msg("the folder of reports"), settings.report.folder))
    for table in settings.backup_media:
        folders += [(table.id, msg("a backup medium"), place) for place in build_medium(table).places()]
    for about, what, folder in folders:
        for way in (WRITE, ENTER):
            yield _Need(about, what, way, nearest(folder), folder=None if folder.exists() else folder)
    ledger = settings.state_folder / FILE
    for path in (ledger, ledger.with_name(f"{FILE}-wal"), ledger.with_name(f"{FILE}-shm")):
        yield _Need("ledger", msg("the ledger"), WRITE, path)


def _is_there(need: _Need) -> bool:
    """Say whether there is anything to ask for: what is missing is told where it belongs."""
    return need.path.exists()


def _refused(user: str, need: _Need) -> DiagnosticLine:
    status = need.path.stat()
    values: dict[str, Value] = {
        "user": user,
        "what": need.what,
        "path": show_path(need.path),
        "mode": mode_of(status),
        "owner": owner_of(status),
    }
    if need.way == READ:
        seen = msg("the account {user} cannot read {what}: {path}, mode {mode}, of {owner}", **values)
    elif need.way == WRITE:
        seen = msg("the account {user} cannot write {what}: {path}, mode {mode}, of {owner}", **values)
    else:
        seen = msg("the account {user} cannot enter {what}: {path}, mode {mode}, of {owner}", **values)
    return bad(need.about, seen, _cure(user, need))


def _cure(user: str, need: _Need) -> Message:
    path = show_path(need.path)
    if need.folder is not None:
        return msg("Make it for that account: install -d -o {user} {path}", user=user, path=show_path(need.folder))
    if need.is_shared:
        return msg(
            "Let its group read it: chgrp {user} {path}; chmod g+r {path}; and see the folders above: namei -l {path}",
            user=user,
            path=path,
        )
    if need.path.is_dir():
        return msg("Run 'chown -R {user} {path}', and see the folders above: namei -l {path}", user=user, path=path)
    return msg("Run 'chown {user} {path}', and see the folders above: namei -l {path}", user=user, path=path)


def _reads_all(seen: ScheduleSeen) -> bool:
    """Say whether what reads the sources may read whatever it is, by CAP_DAC_READ_SEARCH; a cron file gives no such right."""
    if seen.demands is None or Way.SYSTEMD not in seen.ways:
        return False
    return any(knock.reads_all for knock in plan_services(seen.demands))


def credentials_seen(seen: ScheduleSeen) -> Iterator[DiagnosticLine]:
    """Say of each `{ credential = ... }` whether what is installed hands it over."""
    demands = seen.demands
    if demands is None:
        return
    for credential in demands.credentials:
        is_open = not credential.is_encrypted
        yield from _credential(credential.name, Path(credential.path), seen.ways, is_open=is_open)


def _credential(name: str, path: Path, ways: Sequence[Way], *, is_open: bool) -> Iterator[DiagnosticLine]:
    about = f"credential {name}"
    if Way.CRON in ways:
        yield bad(
            about,
            msg("the secret {name} is a credential of systemd, and cron hands none over", name=name),
            msg("Give it as { file = ... }, or run 'portalops schedule install --systemd'."),
        )
        return
    try:
        path.stat()
    except FileNotFoundError:
        yield bad(
            about,
            msg("the units load the credential {name} from {path}, which is not there", name=name, path=str(path)),
            msg("Put the secret there: install -m 600 /dev/stdin {path}", path=str(path)),
        )
    except OSError:
        yield unknown(
            about,
            msg("whether the credential {name} lies at {path} was not found out", name=name, path=str(path)),
            msg("Run 'sudo portalops doctor --only scheduled-user'."),
        )
    else:
        flaws = (
            tuple(private_seen(path, about)) if is_open else ()
        )  # anybody may read one that this machine alone can open
        yield from flaws
        if flaws:
            return
        if Way.SYSTEMD in ways:
            yield good(about, msg("the units load the credential {name} from {path}", name=name, path=str(path)))
        else:
            yield warning(
                about,
                msg(
                    "the credential {name} lies at {path}, and no unit is installed that loads it",
                    name=name,
                    path=str(path),
                ),
                msg("Run 'portalops schedule install --systemd'."),
            )


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
