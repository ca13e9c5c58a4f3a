"""Check the whole configuration and list every problem

Reads all files, the settings of every source, medium and check, the rulebook, the keys and the files of secrets.
Nothing is connected to. Each problem shows whether it stops 'backup run'. A source or medium that is not there is a
warning: a backup goes on without it.

Example: portalops config check

EXIT STATUS: 0 nothing is wrong, 78 something is
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from backups.preconditions import SeenParts, left_out, remarks_of, stopping
from checks.updates.clashes import name_clashes, source_clashes
from commands.cli.kinds import typed_tables
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.backup_parts import seen_parts
from commands.jobs.federation import unknown_witnesses
from commands.jobs.recipients import recipient_problems
from portalops.config.effective import references_in
from portalops.config.layers import show_path
from portalops.config.secrets import check_private_file
from portalops.errors import ConfigurationError, ExitCode, PortalOpsError, SecretUnavailable
from portalops.jobs import moved_times
from portalops.model.backups import DataClass
from portalops.model.message import Message, msg, nmsg
from portalops.model.runs import JobKind
from portalops.reports.document import Block, KeyValues, Paragraph, TableBlock

if TYPE_CHECKING:
    from pydantic import BaseModel

    from portalops.config import KindTable, Settings

NEEDED = (JobKind.BACKUP, JobKind.VERIFY, JobKind.CHECK, JobKind.UPDATES, JobKind.REPORT, JobKind.ANCHOR)
"""The kinds of jobs without which a duty has no evidence."""


@shape
class ConfigurationProblem:
    """One thing that is wrong with the configuration."""

    id: str
    """Its code, such as PO1201: 'portalops explain' says what it means."""
    place: str
    """File, line and key; empty where it has none."""
    message: str
    hint: str
    stops_backup: bool
    """'backup run' makes no set until it is solved."""


@dataclass(frozen=True, slots=True)
class _Problem:
    """One thing that is wrong, and whether it stops 'backup run'."""

    error: PortalOpsError
    stops_backup: bool = True


def check(ctx: typer.Context) -> Result[tuple[ConfigurationProblem, ...]]:
    session = open_session(ctx)
    seen = _seen(session)
    problems = list(_problems(session, seen))
    warnings = _warnings(session, seen)
    if not problems:
        settings = session.settings
        facts = KeyValues(
            [
                (msg("Files"), ", ".join(str(path) for path in settings.files)),
                (msg("Units"), len(settings.units)),
                (msg("Hosts"), len(settings.hosts)),
                (msg("Backup sources"), len(settings.backup_sources)),
                (msg("Backup media"), len(settings.backup_media)),
                (msg("Update sources"), len(settings.update_sources)),
                (msg("Jobs"), len(settings.jobs)),
                (msg("Digest"), settings.digest),
            ]
        )
        followed = () if seen is None else remarks_of(seen.remarks, doubtful=False)
        view: list[Block] = [
            facts,
            *map(Paragraph, followed),
            Paragraph(msg("Nothing is wrong with the configuration.")),
        ]
        return Result((), view, warnings=warnings)
    rows = [
        (each.error.code, each.error.message, each.error.hint, msg("yes") if each.stops_backup else msg("no"))
        for each in problems
    ]
    headers = (msg("Code"), msg("Problem"), msg("What to do"), msg("Stops 'backup run'"))
    return Result(
        data=tuple(_problem_data(problem) for problem in problems),
        view=[
            TableBlock(msg("Problems of the configuration"), headers, rows),
            Paragraph(
                nmsg(
                    "{n} problem; what needs it is not run until it is solved",
                    "{n} problems; what needs them is not run until they are solved",
                    len(problems),
                )
            ),
        ],
        warnings=warnings,
        exit_code=ExitCode.CONFIGURATION,
    )


def _warnings(session: Session, seen: SeenParts | None) -> tuple[Message, ...]:
    """Return what is not wrong and yet costs a duty its evidence, a backup a part of it, or a job its time."""
    try:
        settings = session.settings
    except ConfigurationError:
        return ()
    found = [*_remarks(settings), *_moved_times(session)]
    if seen is not None:
        found += left_out(seen)
    if _has_backups(settings):
        try:
            _ = session.signing_key
        except SecretUnavailable as error:
            found.append(msg("a backup is unsigned: {cause}", cause=error.message))
    return tuple(found)


def _seen(session: Session) -> SeenParts | None:
    """Return what a backup would find; None where none is made, or where the configuration does not fit."""
    try:
        return seen_parts(session) if _has_backups(session.settings) else None
    except ConfigurationError:
        return None


def _has_backups(settings: Settings) -> bool:
    """Say whether a job, or a person without one, makes backups here; a recovery host has media alone."""
    return bool(settings.backup_sources) or any(job.kind is JobKind.BACKUP for job in settings.jobs)


def _problems(session: Session, seen: SeenParts | None) -> Iterator[_Problem]:
    """Yield everything that is wrong, as far as it can be seen without connecting to anything."""
    try:
        settings = session.settings
    except ConfigurationError as error:
        yield from map(_Problem, error.problems or (error,))
        return
    kinds, found = typed_tables(settings)
    yield from map(_Problem, found)
    yield from map(_Problem, recipient_problems(settings))
    if seen is not None:
        yield from map(_Problem, stopping(seen))
    if _is_something_else(settings.state_folder):
        place = settings.layers.place(("state", "folder"))
        yield _Problem(
            ConfigurationError(
                msg("{place}: {folder} is not a folder", place=place, folder=show_path(settings.state_folder)),
                msg("Name another folder: the ledger goes there."),
            )
        )
    yield from (_Problem(each, stops_backup=False) for each in _secret_problems(kinds))
    yield from _rule_problems(session)
    clashes = (*name_clashes(settings), *source_clashes(settings))
    yield from (_Problem(each, stops_backup=False) for each in (*unknown_witnesses(settings, kinds), *clashes))


def _is_something_else(folder: Path) -> bool:
    """Say whether something that is no folder was seen in its place."""
    try:
        return not stat.S_ISDIR(folder.stat().st_mode)
    except OSError:
        return False


def _remarks(settings: Settings) -> Iterator[Message]:
    """Yield what is not wrong and yet leaves a duty without evidence; a host that only watches or collects others has no duties."""
    if (settings.witnessed or settings.federated) and not settings.jobs:
        return
    for place, name in settings.layers.ended:
        yield msg("{place}: {name} has no effect any more; remove the line", place=place, name=name)
    kinds = {job.kind for job in settings.jobs}
    for kind in NEEDED:
        if kind not in kinds:
            yield msg('there is no job of kind {kind}: add [[job]] with kind = "{kind}"', kind=kind.value)
    if JobKind.UPDATES in kinds and not settings.update_sources:
        yield msg("there is no [[updates.source]], so no publication and no submission can be seen")
    mapped = {str(source.values.get("class", "")) for source in settings.backup_sources}
    for data_class in DataClass:
        if data_class is not DataClass.DOCUMENTS and data_class not in mapped | set(settings.backup.excused):
            yield msg(
                "no source has the class {data_class} and backup.excused does not say why: an unmet duty of Article 10.2",
                data_class=data_class.value,
            )


def _moved_times(session: Session) -> Iterator[Message]:
    """Yield when, within a year, the clocks leave a job's time out or show it twice: once for each job and kind."""
    now, zone = session.clock.now(), session.zone_of_portal
    for job in session.settings.jobs:
        told: set[bool] = set()
        for moment, is_left_out in moved_times(job, zone, now, now + timedelta(days=366)):
            if is_left_out in told:
                continue
            told.add(is_left_out)
            said = msg(
                "job {job}: the clocks will show {at} twice, and it is due once, the first time: {moment}",
                job=job.id,
                at=job.at,
                moment=moment,
            )
            if is_left_out:
                said = msg(
                    "job {job}: the clocks will leave {at} out, and it is due at the first moment after the gap: {moment}",
                    job=job.id,
                    at=job.at,
                    moment=moment,
                )
            yield said


def _secret_problems(kinds: Mapping[KindTable, BaseModel]) -> Iterator[PortalOpsError]:
    for table, model in kinds.items():
        for reference in references_in(model):
            if reference.file is None:
                continue  # variables and credentials belong to the process that runs, not to this one
            try:
                check_private_file(reference.file)
            except SecretUnavailable as error:
                yield SecretUnavailable(msg("{place}: {problem}", place=table.place, problem=error.message), error.hint)


def _rule_problems(session: Session) -> Iterator[_Problem]:
    settings = session.settings
    duties: frozenset[str] = frozenset()
    try:
        duties = frozenset(
            {duty.id for duty in session.rulebook.duties} | {clause.id for clause in session.rulebook.clauses}
        )
    except ConfigurationError as error:
        yield _Problem(error)  # no run is recorded without its rulebook
    try:
        assert session.calendar is not None
    except ConfigurationError as error:
        yield _Problem(error, stops_backup=False)
    for index, job in enumerate(settings.jobs):
        if job.duty and duties and job.duty not in duties:
            unknown = ConfigurationError(
                msg(
                    "{place}: the job {id} names a duty that the rulebook does not have: {duty}",
                    place=settings.layers.place(("job", index, "duty")),
                    id=job.id,
                    duty=job.duty[:60],
                ),
                msg("Run 'portalops explain' to see the duties."),
            )
            yield _Problem(unknown, stops_backup=False)


def _problem_data(problem: _Problem) -> ConfigurationProblem:
    error = problem.error
    place = str(error.message.values.get("place", ""))
    return ConfigurationProblem(error.code, place, str(error.message), str(error.hint), problem.stops_backup)


VERB = Verb(check)
