"""From files and environment to `Settings`: find, join, check the shape, check what belongs together."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from portalops.config.environment import lay_environment, lay_options
from portalops.config.layers import Layers, find_main_file, find_working_folder, parsed, read_layers
from portalops.config.positions import KeyPath
from portalops.config.problems import show_value, sort_problems, together, validated
from portalops.config.settings import (
    ArchiveSettings,
    BackupSettings,
    ClusterSettings,
    DrillSettings,
    RecipientSetting,
    ReportSettings,
    RulebookSettings,
    ScheduleSettings,
    ServerSettings,
    Settings,
    UpdatesSettings,
    VulnerabilitySettings,
)
from portalops.config.shape import ActorTable, JobTable, KindAlone, KindRow, NameTable, PortalopsFile, UnitTable
from portalops.config.tables import KindTable
from portalops.config.values import RefusedValue, resolved
from portalops.errors import ConfigurationError, DuplicateId
from portalops.model.heads import Person
from portalops.model.hosts import LOCAL, HostWay
from portalops.model.message import Message, msg
from portalops.model.office import OfficeSettings
from portalops.model.organisation import Actor, Agency, Host, HostId, Name, Portal, UnitId
from portalops.model.record import Digest
from portalops.model.retention import RetentionPolicy
from portalops.model.rulebook import ENDED
from portalops.model.runs import LAST_DAY, SAFE_DAYS, WEEKDAYS, DaySpan, Every, Job, JobId, Span
from portalops.model.text import show_text


def load(
    path: Path | None,
    environment: Mapping[str, str],
    *,
    options: Mapping[str, str] | None = None,
    working_folder: Path | None = None,
) -> Settings:
    """Read the configuration.

    Args:
        path: the file that was named by `--config`; None looks in the usual places.
        environment: PORTALOPS_CONFIG, XDG_CONFIG_HOME and `PORTALOPS_<SECTION>_<KEY>` are read from it.
        options: values given on the command line, by dotted key; they win over everything.
        working_folder: where `./portalops.toml` is looked for; the process's own if None.

    Raises:
        ConfigurationError: it cannot be found, read or used; `problems` holds every problem found.
    """
    main = find_main_file(path, environment, working_folder=working_folder or find_working_folder())
    layers = read_layers(main)
    lay_environment(layers, environment)
    lay_options(layers, options or {})
    return settings_of(layers)


def checked_text(path: Path, text: str) -> Settings:
    """Read a text as if it stood in a file, without any other layer.

    Raises:
        ConfigurationError: it is not a configuration.
    """
    layers = Layers()
    layers.add_file(parsed(path, text))
    return settings_of(layers)


def settings_of(layers: Layers) -> Settings:
    """Check joined layers and return them typed.

    Raises:
        ConfigurationError: something is wrong with them; `problems` holds every problem found.
    """
    layers.leave_out("rulebook", ENDED)
    shape = validated(PortalopsFile, layers.tree, place=layers.place)
    problems = [*_duplicates(shape, layers), *_contradictions(shape, layers)]
    if problems:
        raise together(sort_problems(problems))
    return _settings(shape, layers)


def digest_of(shape: PortalopsFile) -> Digest:
    """Return the digest of the effective configuration: canonical JSON of all values, as written and by default."""
    plain = shape.model_dump(mode="json", exclude={"include"})
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return Digest(hashlib.sha256(text.encode()).hexdigest())


_LISTS: Mapping[str, tuple[KeyPath, Message]] = {
    "unit": (("unit",), msg("the unit")),
    "host": (("host",), msg("the host")),
    "job": (("job",), msg("the job")),
    "backup.source": (("backup", "source"), msg("the backup source")),
    "backup.medium": (("backup", "medium"), msg("the backup medium")),
    "backup.adopted": (("backup", "adopted"), msg("the adopted backup")),
    "archive.collection": (("archive", "collection"), msg("the archive collection")),
    "updates.source": (("updates", "source"), msg("the updates source")),
    "ledger.anchor": (("ledger", "anchor"), msg("the anchor")),
    "ledger.signer": (("ledger", "signer"), msg("the signer")),
    "witness.ledger": (("witness", "ledger"), msg("the watched ledger")),
    "federation.site": (("federation", "site"), msg("the site")),
    "notify.channel": (("notify", "channel"), msg("the channel")),
    "notify.monitor": (("notify", "monitor"), msg("the monitor")),
}


def _rows(shape: PortalopsFile, path: KeyPath) -> Sequence[Any]:
    value: Any = shape
    for part in path:
        value = getattr(value, str(part))
    rows: Sequence[Any] = value
    return rows


def _duplicates(shape: PortalopsFile, layers: Layers) -> Iterator[ConfigurationError]:
    for path, what in _LISTS.values():
        seen: dict[str, int] = {}
        for index, row in enumerate(_rows(shape, path)):
            if row.id not in seen:
                seen[row.id] = index
                continue
            yield DuplicateId(
                msg(
                    "{place}: {what} {id} is already defined at {first}",
                    place=layers.place((*path, index, "id")),
                    what=what,
                    id=row.id,
                    first=layers.place((*path, seen[row.id], "id")),
                ),
                msg("Give one of the two another id, or remove it."),
            )
    names: dict[str, int] = {}
    for index, recipient in enumerate(shape.backup.recipients):
        if names.setdefault(recipient.name, index) != index:
            yield DuplicateId(
                msg(
                    "{place}: {what} {id} is already defined at {first}",
                    place=layers.place(("backup", "recipients", index, "name")),
                    what=msg("the recipient"),
                    id=recipient.name,
                    first=layers.place(("backup", "recipients", names[recipient.name], "name")),
                ),
                msg("Give one of the two another id, or remove it."),
            )


def _contradictions(shape: PortalopsFile, layers: Layers) -> Iterator[ConfigurationError]:
    """Yield what the single tables cannot see: dates the wrong way round, units that do not exist, ..."""
    yield from _dates(shape, layers)
    yield from _successors(shape, layers)
    yield from _aliases(shape, layers)
    yield from _offices(shape, layers)
    for index, recipient in enumerate(shape.backup.recipients):
        if (recipient.file is None) == (recipient.key is None):
            yield ConfigurationError(
                msg(
                    "{place}: the recipient {name} needs exactly one of file and key",
                    place=layers.place(("backup", "recipients", index)),
                    name=recipient.name,
                ),
                msg("Name the file with the age public key, or write the key itself."),
            )
    yield from _times(shape, layers)
    yield from _jumps(shape, layers)
    yield from _uncopied(shape, layers)
    yield from _unwatched(shape, layers)
    for path, text in _paths(shape):
        try:
            resolved(text, layers.folder(path))
        except RefusedValue as error:
            yield ConfigurationError(
                msg(
                    "{place}: {key} {what}: {value}",
                    place=layers.place(path),
                    key=str(path[-1]),
                    what=error.message,
                    value=show_text(text, 60),
                ),
                msg("Correct it and run 'portalops config check'."),
            )


def _times(shape: PortalopsFile, layers: Layers) -> Iterator[ConfigurationError]:
    """Yield the jobs whose time does not fit to how often they are due: they could never be due at it."""
    for index, row in enumerate(shape.job):
        for key, value, problem, hint in _misfits(row):
            yield ConfigurationError(
                msg(
                    "{place}: the job {id} {problem}: {key} = {value}",
                    place=layers.place(("job", index, key)),
                    id=row.id,
                    problem=problem,
                    key=key,
                    value=value,
                ),
                hint,
            )
    ids = {row.id: index for index, row in enumerate(shape.job)}
    for index, row in enumerate(shape.job):
        for job in _planned(row)[1:]:
            if job.id in ids:
                yield DuplicateId(
                    msg(
                        "{place}: {what} {id} is already defined at {first}",
                        place=layers.place(("job", index, "at")),
                        what=msg("the job"),
                        id=job.id,
                        first=layers.place(("job", ids[job.id], "id")),
                    ),
                    msg("Give one of the two another id, or remove it."),
                )


def _planned(row: JobTable) -> tuple[Job, ...]:
    """Return the jobs of a table, one for each of its times: each is due, done and missed by itself."""
    return tuple(
        Job(JobId(f"{row.id}-{at.replace(':', '')}" if place else row.id), row.kind, row.every, row.duty, at, row.on)
        for place, at in enumerate(row.at or ("",))
    )


def _misfits(row: JobTable) -> Iterator[tuple[str, str, Message, Message]]:
    if row.at and row.every is Every.HOUR:
        yield (
            "at",
            ", ".join(row.at),
            msg("is due each hour and so takes no time of day"),
            msg('Leave out "at", or write every = "day".'),
        )
    elif len(row.at) > 1 and row.every is not Every.DAY:
        yield (
            "at",
            ", ".join(row.at),
            msg("is not due each day and so takes a single time"),
            msg('Name one time, or write every = "day".'),
        )
    if not row.on:
        return
    match row.every:
        case Every.HOUR | Every.DAY:
            problem = msg("is due each hour and so takes no day")
            if row.every is Every.DAY:
                problem = msg("is due each day and so takes no day")
            yield "on", row.on, problem, msg('Leave out "on", or write every = "week" or every = "month".')
        case Every.WEEK if row.on not in WEEKDAYS:
            hint = msg("Name the weekday: {days}.", days=", ".join(WEEKDAYS))
            yield "on", row.on, msg("is due each week, but this is not a weekday"), hint
        case Every.MONTH if row.on in WEEKDAYS:
            hint = msg('Write 1 to {day}, or "{last}" for the last day of each month.', day=SAFE_DAYS, last=LAST_DAY)
            yield "on", row.on, msg("is due each month, but this is not a day of the month"), hint


def _jumps(shape: PortalopsFile, layers: Layers) -> Iterator[ConfigurationError]:
    """Yield the hosts that are reached through a host that there is not, or that is itself reached through one."""
    fit = {row.id for row in shape.host if row.jump is None and row.address != LOCAL}
    for index, row in enumerate(shape.host):
        if row.jump is not None and row.jump not in fit:
            yield ConfigurationError(
                msg(
                    "{place}: the host {host} is reached through {jump}, but {jump} is not a host that is "
                    "reached directly",
                    place=layers.place(("host", index, "jump")),
                    host=row.id,
                    jump=row.jump,
                ),
                msg("The hosts that are reached directly are: {hosts}.", hosts=", ".join(sorted(fit)) or msg("none")),
            )


def _uncopied(shape: PortalopsFile, layers: Layers) -> Iterator[ConfigurationError]:
    """Yield the archive's collections that name a backup source which there is not."""
    sources = [row.id for row in shape.backup.source]
    for index, row in enumerate(shape.archive.collection):
        source = (row.model_extra or {}).get("source")
        if isinstance(source, str) and source not in sources:
            yield ConfigurationError(
                msg(
                    "{place}: archive collection {id} names a backup source that does not exist: {source}",
                    place=layers.place(("archive", "collection", index, "source")),
                    id=row.id,
                    source=show_value(source),
                ),
                msg("The sources are: {sources}.", sources=", ".join(sources) or msg("none")),
            )


def _unwatched(shape: PortalopsFile, layers: Layers) -> Iterator[ConfigurationError]:
    """Yield the monitors that watch a job which there is not: nobody would ever hear of it."""
    jobs = [str(job.id) for row in shape.job for job in _planned(row)]
    for index, row in enumerate(shape.notify.monitor):
        watched = (row.model_extra or {}).get("jobs")
        for number, job in enumerate(watched if isinstance(watched, list) else ()):
            if isinstance(job, str) and job not in jobs:
                yield ConfigurationError(
                    msg(
                        "{place}: monitor {id} watches a job that does not exist: {job}",
                        place=layers.place(("notify", "monitor", index, "jobs", number)),
                        id=row.id,
                        job=show_value(job),
                    ),
                    msg("The jobs are: {jobs}.", jobs=", ".join(jobs) or msg("none")),
                )


def _paths(shape: PortalopsFile) -> Iterator[tuple[KeyPath, str]]:
    yield ("state", "folder"), shape.state.folder
    for path, text in (
        (("report", "folder"), shape.report.folder),
        (("calendar", "file"), shape.calendar.file),
        (("signing", "key"), shape.signing.key),
        (("schedule", "program"), shape.schedule.program),
        (("checks", "ssh", "identity_file"), shape.checks.ssh.identity_file),
        *((("host", index, "identity_file"), row.identity_file) for index, row in enumerate(shape.host)),
        *((("backup", "recipients", index, "file"), row.file) for index, row in enumerate(shape.backup.recipients)),
        *((("checks", "vulnerabilities", "bundles"), text) for text in shape.checks.vulnerabilities.bundles),
    ):
        if text is not None:
            yield path, text


def _dates(shape: PortalopsFile, layers: Layers) -> Iterator[ConfigurationError]:
    tables: tuple[tuple[str, Sequence[UnitTable | ActorTable]], ...] = (("unit", shape.unit), ("actor", shape.actor))
    for name, rows in tables:
        for index, row in enumerate(rows):
            if row.valid_from and row.valid_to and row.valid_to < row.valid_from:
                yield ConfigurationError(
                    msg(
                        "{place}: valid_to {to} is before valid_from {start}",
                        place=layers.place((name, index, "valid_to")),
                        to=row.valid_to.isoformat(),
                        start=row.valid_from.isoformat(),
                    ),
                    msg("valid_from is the first day, valid_to the last one."),
                )


def _successors(shape: PortalopsFile, layers: Layers) -> Iterator[ConfigurationError]:
    known = {unit.id for unit in shape.unit}
    for index, unit in enumerate(shape.unit):
        for number, successor in enumerate(unit.successors):
            if successor not in known or successor == unit.id:
                yield ConfigurationError(
                    msg(
                        "{place}: the successor {successor} of unit {unit} is not another unit",
                        place=layers.place(("unit", index, "successors", number)),
                        unit=unit.id,
                        successor=successor,
                    ),
                    msg("Add the unit {successor}, or correct the id.", successor=successor),
                )


def _aliases(shape: PortalopsFile, layers: Layers) -> Iterator[ConfigurationError]:
    """Yield aliases by which another unit of the same days is known too: an item could not be told to be whose."""
    named: dict[str, list[tuple[UnitTable, int]]] = defaultdict(list)
    for index, unit in enumerate(shape.unit):
        for name in {_folded(text) for text in (unit.id, unit.name.vi, unit.name.en, *unit.aliases) if text}:
            named[name].append((unit, index))
    for index, unit in enumerate(shape.unit):
        for number, alias in enumerate(unit.aliases):
            for other, where in named[_folded(alias)]:
                is_at_once = (unit.valid_from or date.min) <= (other.valid_to or date.max) and (
                    other.valid_from or date.min
                ) <= (unit.valid_to or date.max)
                if where != index and is_at_once:
                    yield ConfigurationError(
                        msg(
                            "{place}: the alias {alias} of unit {unit} is also a name of unit {other}",
                            place=layers.place(("unit", index, "aliases", number)),
                            alias=show_text(alias, 200),
                            unit=unit.id,
                            other=other.id,
                        ),
                        msg("Remove it from one of the two, or end the earlier unit by valid_to."),
                    )


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()


def _offices(shape: PortalopsFile, layers: Layers) -> Iterator[ConfigurationError]:
    """Yield actors who would hold one office on the same day: a report could not say whom it is for."""
    by_role: dict[str, list[tuple[date, date, int]]] = defaultdict(list)
    for index, actor in enumerate(shape.actor):
        by_role[actor.role].append((actor.valid_from or date.min, actor.valid_to or date.max, index))
    for role, spans in by_role.items():
        spans.sort()
        for (_start, end, first), (start, _end, second) in pairwise(spans):
            if start <= end:
                yield ConfigurationError(
                    msg(
                        "{place}: two actors hold the office {role} on the same day; the other is at {first}",
                        place=layers.place(("actor", second)),
                        role=role,
                        first=layers.place(("actor", first)),
                    ),
                    msg("End the earlier one by valid_to on the day before the later one's valid_from."),
                )


def _ways(shape: PortalopsFile, layers: Layers) -> dict[HostId, HostWay]:
    ways = {}
    for index, row in enumerate(shape.host):
        if row.address == LOCAL:
            continue
        path: KeyPath = ("host", index, "identity_file") if row.identity_file else ("checks", "ssh", "identity_file")
        text = row.identity_file or shape.checks.ssh.identity_file
        ways[HostId(row.id)] = HostWay(
            row.address,
            row.port,
            row.user or shape.checks.ssh.user,
            resolved(text, layers.folder(path)) if text else None,
            HostId(row.jump) if row.jump else None,
        )
    return ways


def _alone(row: KindAlone | None, key: str, layers: Layers) -> KindTable | None:
    """Return `[ledger.store]` or `[ledger.blobs]` as a table of its kind."""
    if row is None:
        return None
    return KindTable(key, row.kind, dict(row.model_extra or {}), f"ledger.{key}", ("ledger", key), layers)


def _settings(shape: PortalopsFile, layers: Layers) -> Settings:
    def local(text: str, *path: str | int) -> Path:
        return resolved(text, layers.folder(path))

    state_folder = local(shape.state.folder, "state", "folder")
    return Settings(
        portal=Portal(shape.portal.id, _name(shape.portal.name), shape.portal.timezone),
        language=shape.portal.language,
        actors=tuple(Actor(row.role, _name(row.name), row.valid_from, row.valid_to) for row in shape.actor),
        units=tuple(
            Agency(
                UnitId(row.id),
                _name(row.name),
                row.has_subportal,
                row.valid_from,
                row.valid_to,
                tuple(UnitId(successor) for successor in row.successors),
                row.aliases,
                row.cases_from,
            )
            for row in shape.unit
        ),
        hosts=tuple(Host(HostId(row.id), row.address, frozenset(row.roles), row.custodian or "") for row in shape.host),
        jobs=tuple(job for row in shape.job for job in _planned(row)),
        state_folder=state_folder,
        office=OfficeSettings(
            _name(shape.office.parent) if shape.office.parent else None,
            shape.office.abbreviation,
            shape.office.drafting_unit or "",
            _name(shape.office.place),
            shape.office.authority or "",
            shape.office.title,
            shape.office.signer or "",
            shape.office.contact or "",
        ),
        calendar_file=local(shape.calendar.file, "calendar", "file") if shape.calendar.file else None,
        rulebook=RulebookSettings(
            shape.portal.rulebook, shape.rulebook.model_dump(exclude_unset=True, exclude_none=True)
        ),
        backup=BackupSettings(
            recipient_settings=tuple(
                RecipientSetting(
                    row.name,
                    local(row.file, "backup", "recipients", index, "file") if row.file else None,
                    row.key,
                    ("backup", "recipients", index),
                    layers,
                )
                for index, row in enumerate(shape.backup.recipients)
            ),
            pack_bytes=shape.backup.pack_mib << 20,
            excused=dict(shape.backup.excused),
            full_every=_span(shape.backup.full_every),
            drill=DrillSettings(
                local(shape.backup.drill.identity, "backup", "drill", "identity")
                if shape.backup.drill.identity
                else None,
                local(shape.backup.drill.folder, "backup", "drill", "folder"),
                shape.backup.drill.user,
                local(shape.backup.drill.signers, "backup", "drill", "signers") if shape.backup.drill.signers else None,
                local(shape.backup.drill.reports, "backup", "drill", "reports") if shape.backup.drill.reports else None,
                shape.backup.drill.trusted,
            ),
            retention=RetentionPolicy(**shape.backup.retention.model_dump()),
            unread_months=shape.backup.unread_months,
        ),
        updates=UpdatesSettings(
            shape.updates.judge_weeks, shape.updates.poll_every, shape.updates.cases_from, shape.updates.rule_sets
        ),
        report=ReportSettings(
            local(shape.report.folder, "report", "folder") if shape.report.folder else state_folder / "reports",
            shape.report.languages,
            KindTable("mail", "mail", dict(shape.report.mail), "report.mail", ("report", "mail"), layers)
            if shape.report.mail is not None
            else None,
        ),
        signing_key=local(shape.signing.key, "signing", "key") if shape.signing.key else None,
        people=tuple(
            Person(row.id, _name(row.name), row.office, row.key, row.valid_from, row.valid_to)
            for row in shape.ledger.signer
        ),
        declared=KindTable(
            "declared", "declared", dict(shape.checks.declared), "checks.declared", ("checks", "declared"), layers
        ),
        servers=ServerSettings(
            _ways(shape, layers),
            shape.checks.ssh.user,
            local(shape.checks.ssh.identity_file, "checks", "ssh", "identity_file")
            if shape.checks.ssh.identity_file
            else None,
            shape.checks.at_once,
            shape.checks.host_timeout,
        ),
        vulnerabilities=VulnerabilitySettings(
            tuple(local(text, "checks", "vulnerabilities", "bundles") for text in shape.checks.vulnerabilities.bundles),
            shape.checks.vulnerabilities.keys,
            shape.checks.vulnerabilities.max_age_days,
        ),
        backup_sources=_kind_tables(shape.backup.source, "backup.source", layers),
        backup_media=_kind_tables(shape.backup.medium, "backup.medium", layers),
        adopted=_kind_tables(shape.backup.adopted, "backup.adopted", layers),
        archive=ArchiveSettings(dict(shape.archive.excused), shape.archive.max_shrink_percent),
        collections=_kind_tables(shape.archive.collection, "archive.collection", layers),
        update_sources=_kind_tables(shape.updates.source, "updates.source", layers),
        ledger_store=_alone(shape.ledger.store, "store", layers),
        ledger_blobs=_alone(shape.ledger.blobs, "blobs", layers),
        anchors=_kind_tables(shape.ledger.anchor, "ledger.anchor", layers),
        witnessed=_kind_tables(shape.witness.ledger, "witness.ledger", layers),
        federated=_kind_tables(shape.federation.site, "federation.site", layers),
        schedule=ScheduleSettings(
            shape.schedule.user,
            shape.schedule.every_minutes,
            shape.schedule.random_delay_minutes,
            local(shape.schedule.program, "schedule", "program") if shape.schedule.program else None,
        ),
        cluster=ClusterSettings(shape.cluster.at_once, shape.cluster.slots, shape.cluster.wait_minutes)
        if shape.cluster
        else None,
        channels=_kind_tables(shape.notify.channel, "notify.channel", layers),
        monitors=_kind_tables(shape.notify.monitor, "notify.monitor", layers),
        digest=digest_of(shape),
        layers=layers,
        shape=shape,
    )


def _span(full_every: Every | int | None) -> Span | None:
    return DaySpan(full_every) if isinstance(full_every, int) else full_every


def _kind_tables(rows: Sequence[KindRow], section: str, layers: Layers) -> tuple[KindTable, ...]:
    path = tuple(section.split("."))
    return tuple(
        KindTable(row.id, row.kind, dict(row.model_extra or {}), section, (*path, index), layers)
        for index, row in enumerate(rows)
    )


def _name(table: NameTable) -> Name:
    return Name(table.vi, table.en or table.vi)
