"""Check the whole configuration and list every problem

Reads all files, the settings of every source, medium and check, the rulebook, the keys and the files of secrets.
Nothing is connected to.

Example: portalops config check

EXIT STATUS: 0 nothing is wrong, 78 something is
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from commands.cli.kinds import typed_tables
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.federation import unknown_witnesses
from commands.jobs.recipients import recipient_problems
from portalops.config.effective import references_in
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


def check(ctx: typer.Context) -> Result[tuple[ConfigurationProblem, ...]]:
    session = open_session(ctx)
    problems = list(_problems(session))
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
        view: list[Block] = [facts, Paragraph(msg("Nothing is wrong with the configuration."))]
        return Result((), view, warnings=(*_remarks(settings), *_moved_times(session)))
    rows = [(problem.code, problem.message, problem.hint) for problem in problems]
    headers = (msg("Code"), msg("Problem"), msg("What to do"))
    return Result(
        data=tuple(_problem_data(problem) for problem in problems),
        view=[
            TableBlock(msg("Problems of the configuration"), headers, rows),
            Paragraph(
                nmsg(
                    "{n} problem; nothing is run until it is solved",
                    "{n} problems; nothing is run until they are solved",
                    len(problems),
                )
            ),
        ],
        exit_code=ExitCode.CONFIGURATION,
    )


def _problems(session: Session) -> Iterator[ConfigurationError | PortalOpsError]:
    """Yield everything that is wrong, as far as it can be seen without connecting to anything."""
    try:
        settings = session.settings
    except ConfigurationError as error:
        yield from error.problems or (error,)
        return
    kinds, found = typed_tables(settings)
    yield from found
    yield from recipient_problems(settings)
    yield from _secret_problems(kinds)
    yield from _rule_problems(session)
    yield from unknown_witnesses(settings, kinds)


def _remarks(settings: Settings) -> Iterator[Message]:
    """Yield what is not wrong and yet leaves a duty without evidence; a host that only watches or collects others has no duties."""
    if (settings.witnessed or settings.federated) and not settings.jobs:
        return
    kinds = {job.kind for job in settings.jobs}
    for kind in NEEDED:
        if kind not in kinds:
            yield msg('there is no job of kind {kind}: add [[job]] with kind = "{kind}"', kind=kind.value)
    if JobKind.BACKUP in kinds and not settings.backup_sources:
        yield msg("there is no [[backup.source]], so a backup holds nothing")
    if JobKind.BACKUP in kinds and not settings.backup_media:
        yield msg("there is no [[backup.medium]], so a backup goes nowhere")
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


def _rule_problems(session: Session) -> Iterator[PortalOpsError]:
    settings = session.settings
    duties: frozenset[str] = frozenset()
    try:
        duties = frozenset(
            {duty.id for duty in session.rulebook.duties} | {clause.id for clause in session.rulebook.clauses}
        )
    except ConfigurationError as error:
        yield error
    try:
        assert session.calendar is not None
    except ConfigurationError as error:
        yield error
    for index, job in enumerate(settings.jobs):
        if job.duty and duties and job.duty not in duties:
            yield ConfigurationError(
                msg(
                    "{place}: the job {id} names a duty that the rulebook does not have: {duty}",
                    place=settings.layers.place(("job", index, "duty")),
                    id=job.id,
                    duty=job.duty[:60],
                ),
                msg("Run 'portalops explain' to see the duties."),
            )


def _problem_data(problem: PortalOpsError) -> ConfigurationProblem:
    place = str(problem.message.values.get("place", ""))
    return ConfigurationProblem(problem.code, place, str(problem.message), str(problem.hint))


VERB = Verb(check)
