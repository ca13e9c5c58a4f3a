"""Check, show and describe the configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ConfigurationError, ExitCode, PortalOpsError
from portalops.jobs import moved_times
from portalops.locale import _
from portalops.model.backups import DataClass
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.runs import JobKind
from portalops.reports.document import Block, KeyValues, Paragraph, Table
from portalops.system.files import write_atomically

if TYPE_CHECKING:
    from pydantic import BaseModel

    from portalops.config import KindTable, Settings
    from portalops.config.effective import EffectiveValue
    from portalops.model.rulebook import Rulebook

app = typer.Typer(no_args_is_help=True)

NEEDED = (JobKind.BACKUP, JobKind.VERIFY, JobKind.CHECK, JobKind.UPDATES, JobKind.REPORT, JobKind.ANCHOR)
"""The kinds of jobs without which a duty has no evidence."""

SCHEMA_FILE = Path("portalops.schema.json")


@app.command(
    help=_(
        "Check the whole configuration and list every problem\n\nReads all files, the settings of every source, medium and"
        " check, the rulebook, the keys and the files of secrets. Nothing is connected to."
        "\n\nExample: portalops config check"
        "\n\nEXIT STATUS: 0 nothing is wrong, 78 something is"
    )
)
def check(ctx: typer.Context) -> Result:
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
        return Result([], view, warnings=(*_remarks(settings), *_moved_times(session)))
    rows = [(problem.code, problem.message, problem.hint) for problem in problems]
    headers = (msg("Code"), msg("Problem"), msg("What to do"))
    return Result(
        data=[_problem_data(problem) for problem in problems],
        view=[
            Table(msg("Problems of the configuration"), headers, rows),
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


@app.command(
    help=_(
        "Show every value that is in force\n\nWhat was written and what stands by default. A secret is shown as the reference"
        " that the configuration holds, never as itself."
        "\n\nExample: portalops config show --origin"
        "\n\nEXIT STATUS: 0 shown, 78 the configuration is wrong"
    )
)
def show(
    ctx: typer.Context,
    *,
    origin: Annotated[bool, typer.Option("--origin", help=_("Also show where each value comes from"))] = False,
) -> Result:
    from commands._kinds import typed_tables  # noqa: PLC0415  # start-up time
    from portalops.config.effective import effective_values  # noqa: PLC0415  # start-up time
    from portalops.config.problems import together  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    settings = session.settings
    kinds, problems = typed_tables(settings)
    if problems:
        raise together(problems)
    values = [_with_number(value, session.rulebook) for value in effective_values(settings, kinds)]
    headers = (msg("Key"), msg("Value"), msg("Origin")) if origin else (msg("Key"), msg("Value"))
    rows = [(value.key, _shown(value.value), *((_shown_origin(value.origin),) if origin else ())) for value in values]
    caption = msg("Configuration {digest}", digest=settings.digest[:16])
    return Result(
        data=[{"id": value.key, "value": value.value, "origin": value.origin} for value in values],
        view=[Table(caption, headers, rows)],
    )


@app.command(
    help=_(
        "Write the JSON Schema of the configuration\n\nEditors that know TOML (Taplo, Tombi) complete and check portalops.toml"
        " by it, if the file's first line is: #:schema ./portalops.schema.json"
        "\n\nExample: portalops config schema --output portalops.schema.json"
        "\n\nEXIT STATUS: 0 written, 4 the file cannot be written"
    )
)
def schema(
    ctx: typer.Context,
    *,
    output: Annotated[Path, typer.Option(help=_("File to write"))] = SCHEMA_FILE,
) -> Result:
    from commands._schema import configuration_schema  # noqa: PLC0415  # start-up time

    open_session(ctx)
    described = configuration_schema()
    write_atomically(output, schema_bytes(described))
    return Result(
        data=described,
        view=[
            KeyValues([(msg("Written"), str(output))]),
            Paragraph(
                msg(
                    "Begin portalops.toml with this line, and your editor knows its keys: #:schema ./{name}",
                    name=output.name,
                )
            ),
        ],
    )


def _with_number(value: EffectiveValue, rulebook: Rulebook) -> EffectiveValue:
    """Return a number that the configuration leaves alone as the rulebook has it."""
    section, _dot, name = value.key.partition(".")
    if section != "rulebook" or value.value is not None:
        return value
    return replace(value, value=getattr(rulebook.numbers, name), origin=f"{rulebook.id}@{rulebook.version}")


def schema_bytes(described: Mapping[str, JsonValue]) -> bytes:
    """Return a schema as the file that is published."""
    return (json.dumps(described, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _problems(session: Session) -> Iterator[ConfigurationError | PortalOpsError]:
    """Yield everything that is wrong, as far as it can be seen without connecting to anything."""
    from commands._kinds import typed_tables  # noqa: PLC0415  # start-up time
    from commands._ledger_federate import unknown_witnesses  # noqa: PLC0415  # as above
    from commands._recipients import recipient_problems  # noqa: PLC0415  # as above

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
    from portalops.config.effective import references_in  # noqa: PLC0415  # start-up time
    from portalops.config.secrets import check_private_file  # noqa: PLC0415  # start-up time
    from portalops.errors import SecretUnavailable  # noqa: PLC0415  # start-up time

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


def _problem_data(problem: PortalOpsError) -> JsonValue:
    return {
        "id": problem.code,
        "place": str(problem.message.values.get("place", "")),
        "message": str(problem.message),
        "hint": str(problem.hint),
    }


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value)
        case Sequence():
            return "[" + ", ".join(_shown(item) for item in value) + "]"
        case _:
            return str(value)


def _shown_origin(origin: str) -> object:
    from portalops.config.effective import DEFAULT  # noqa: PLC0415  # start-up time

    return msg("default") if origin == DEFAULT else verbatim(origin)
