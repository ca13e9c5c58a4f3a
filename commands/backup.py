"""Back up, list, verify and restore (Article 10).

A set is encrypted for its recipients alone: this machine can make and verify sets, and open none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import _backup_adopt, _backup_copy, _backup_drill, _backup_found, _backup_handout, _backup_prune
from commands import _backup_views as views
from commands._backup_work import backup_plan, base_of, find_set, keys_of, media_of, plan_sizes, recorded_sets_of
from commands._jobs import backup_work, by_hand
from commands._restore_target import require_target_apart
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ExitCode, PortalOpsError, SetDamaged, SetNotFound, SetOfLaterVersion, UsageError
from portalops.locale import _
from portalops.model.backups import BackupResult, Copy, CopyState, SetId, SetKind, VerifyLevel, VerifyResult
from portalops.model.message import Message, msg, verbatim
from portalops.model.reading import limits_of
from portalops.model.runs import JobKind
from portalops.registers.backups import GONE
from portalops.reports.document import Block, Notice, Paragraph, Tone

if TYPE_CHECKING:
    from backups.verify import Findings
    from portalops.ports import Medium, StoredSet
    from portalops.registers.backups import SetEvidence

app = typer.Typer(no_args_is_help=True)

SetArgument = Annotated[str | None, typer.Argument(metavar="SET", help=_("A set's name, its beginning, or 'latest'"))]
MediumOption = Annotated[str | None, typer.Option("--medium", metavar="ID", help=_("Only the copy on this medium"))]


@app.command(
    help=_(
        "Show what a backup run would do\n\nReads the configuration and the ledger, and asks the media how much is free. Sizes are what the"
        " last set held, or else what the files take that are there now.\n\nExample: portalops backup plan"
        "\n\nEXIT STATUS: 0 every class of data is covered, 1 a class has no source and no reason, 78 configuration"
    )
)
def plan(ctx: typer.Context) -> Result:
    return _planned(open_session(ctx))


@app.command(
    help=_(
        "Back up now, to all media\n\nReads every source once, writes one set to all media, and reads each copy back. With"
        " backup.full_every it is differential where there is a verified full set of the span.\n\n"
        "Example: portalops backup run; portalops backup run --full; portalops backup run --dry-run\n\nEXIT STATUS: 0 complete and verified on every"
        " medium, 3 a source, path or medium failed, 4 no set was made, 5 a copy is damaged, 78 configuration"
    )
)
def run(
    ctx: typer.Context,
    full: Annotated[
        bool | None,
        typer.Option("--full/--diff", help=_("A full set, or a differential; without it as backup.full_every says")),
    ] = None,
    accept_shrink: Annotated[
        list[str] | None,
        typer.Option(
            "--accept-shrink", metavar="SOURCE", help=_("This source may yield far less than before; recorded")
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result:
    session = open_session(ctx)
    accepted = tuple(accept_shrink or ())
    kind = None if full is None else SetKind.FULL if full else SetKind.DIFF
    if dry_run:
        return _planned(session, kind)
    done = by_hand(session, JobKind.BACKUP, partial(backup_work, set_kind=kind, accept_shrink=accepted))
    notices: list[Block] = [Notice(verbatim(problem), Tone.BAD) for problem in done.problems[: views.MAX_LISTED]]
    if not isinstance(done.result, BackupResult):
        return Result(done.data(), notices, exit_code=done.exit_code)
    view: list[Block] = [Paragraph(done.summary), views.copies_table(done.result.copies), *notices]
    view += views.hints_of_media(session.medium_hints)
    if done.result.set is not None:
        view += views.next_for_failed(done.result.copies)
        view.insert(1, Paragraph(views.signed_sentence(done.result.set.id, done.result.set.signer)))
    data: JsonValue = {
        **_fields(done.data()),
        "set": done.result.set.id if done.result.set else None,
        "signed_by": views.signed_by(done.result.set.signer) if done.result.set else None,
        "copies": [views.copy_data(copy) for copy in done.result.copies],
        "accepted_shrinks": [asdict(shrink) for shrink in done.result.accepted_shrinks],
    }
    view += [Paragraph(views.shrink_sentence(shrink)) for shrink in done.result.accepted_shrinks[: views.MAX_LISTED]]
    return Result(data, view, exit_code=done.exit_code)


@app.command(
    "list",
    help=_(
        "List the backup sets and where their copies are\n\nAlso, apart from them, what other tools claim: 'portalops backup"
        " adopt'. Reads the ledger only.\n\nExample: portalops backup list"
        "\n\nEXIT STATUS: 0 listed"
    ),
)
def list_(ctx: typer.Context, medium: MediumOption = None) -> Result:
    session = open_session(ctx)
    sets = [made for made in recorded_sets_of(session) if medium in {None, *(copy.medium for copy in made.copies)}]
    worth = limits_of(session.rulebook.numbers), session.clock.now()
    view: list[Block] = views.sets_view(sets, *worth) if sets else [Paragraph(msg("No backup set is recorded yet"))]
    claims = _backup_adopt.claims_of_ledger(session) if medium is None else ()
    view += _backup_adopt.claims_view(claims)
    return Result([*(views.set_data(made, *worth) for made in sets), *map(_backup_adopt.claim_data, claims)], view)


@app.command(
    help=_(
        "Show one backup set: streams, copies, what it lacks\n\nReads the ledger only.\n\nExample: portalops backup show"
        " latest\n\nEXIT STATUS: 0 shown, 4 there is no such set"
    )
)
def show(ctx: typer.Context, set_name: SetArgument = "latest") -> Result:
    session = open_session(ctx)
    made = find_set(recorded_sets_of(session), set_name or "latest")
    kept, kept_data = _backup_prune.retained_view(session, made)
    worth = limits_of(session.rulebook.numbers), session.clock.now()
    data: JsonValue = {**views.set_data(made, *worth), **kept_data, "streams": views.streams_data(made.set)}
    return Result(data, [*kept, *views.set_view(made, *worth)])


@app.command(
    help=_(
        "Read copies back and compare every byte\n\nWithout a set, does the verify job: all copies of the newest set, and"
        " on each medium those that were read longest ago, so many that none expires; what it finds is recorded. With a set, a medium or a key, only"
        " looks and shows. With a private key the contents are checked as well, file by file.\n\nExample: portalops backup"
        " verify; portalops backup verify latest --medium disk-a --identity /media/key/operator.age"
        "\n\nEXIT STATUS: 0 all are whole, 3 a copy could not be reached, 5 a copy is damaged"
    )
)
def verify(
    ctx: typer.Context,
    set_name: SetArgument = None,
    medium: MediumOption = None,
    identity: Annotated[
        Path | None, typer.Option("--identity", metavar="FILE", help=_("File with a private key of a recipient"))
    ] = None,
) -> Result:
    session = open_session(ctx)
    if set_name is None and medium is None and identity is None:
        return _verify_job(session)
    from backups.age import read_identities  # noqa: PLC0415  # start-up time
    from backups.job import VerifyTarget, run_verify  # noqa: PLC0415  # start-up time

    identities = read_identities(identity) if identity else ()
    made = find_set(recorded_sets_of(session), set_name or "latest")
    copies = [copy for copy in made.copies if medium in {None, copy.medium} and copy.state not in GONE]
    if not copies:
        raise SetNotFound(
            msg("there is no copy of set {set} on {medium}", set=made.set.id, medium=medium or "-"),
            msg("'portalops backup show {set}' shows its copies.", set=made.set.id),
        )
    result = run_verify(
        [VerifyTarget(copy, made.set.bag_sha256, made.set.stored_bytes) for copy in copies],
        media_of(session),
        clock=session.clock,
        progress=session.progress,
        identities=identities,
        keys=keys_of(session),
    )
    looked = _verified(result.copies, [made])
    if identities and looked.exit_code is ExitCode.OK:
        said = msg("What is in it was decrypted, and compared with the index file by file.")
        return replace(looked, view=(*looked.view, Paragraph(said)))
    return looked


@app.command(
    help=_(
        "Restore a set into an empty folder, or hand one stream to a program\n\nNeeds the private key of a recipient. Looks for the set in"
        " the ledger and, where there is no ledger any more, on the media themselves. Every pack is checked on the way, and"
        " nothing is written outside the folder. Of a set on several discs, copy the folders into one first and make that a medium"
        " of the kind disk. With --stdout one stream goes to the program that reads standard output,"
        " each pack checked before; if this command fails, throw away what the program made of it.\n\nExample: portalops"
        " backup restore latest --to /srv/restored --identity /media/key/operator.age; portalops backup restore latest --to"
        " out --identity key --path etc/hosts; portalops backup restore latest --source portal-db --stream portal --stdout"
        " --identity key | pg_restore -d scratch\n\nEXIT STATUS: 0 restored, 3 something could not be made, 4 nothing was restored or not the"
        " whole stream, 5 the copy is damaged"
    )
)
def restore(
    ctx: typer.Context,
    set_name: SetArgument,
    *,
    identity: Annotated[
        Path, typer.Option("--identity", metavar="FILE", help=_("File with a private key of a recipient"))
    ],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help=_("Folder to restore into; empty or not there yet"))
    ] = None,
    stdout: Annotated[bool, typer.Option("--stdout", help=_("Write one stream to standard output instead"))] = False,
    medium: MediumOption = None,
    source: Annotated[str | None, typer.Option("--source", help=_("Only this source"))] = None,
    stream: Annotated[
        str | None, typer.Option("--stream", metavar="NAME", help=_("With --stdout: this stream of the source"))
    ] = None,
    path: Annotated[str | None, typer.Option("--path", help=_("Only this file or folder, such as etc/hosts"))] = None,
) -> Result:
    from backups.age import read_identities  # noqa: PLC0415  # start-up time
    from backups.restore import restore_set  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    if to is None or stdout:
        _backup_handout.check_usage(session, stdout=stdout, has_folder=to is not None, has_path=path is not None)
    elif stream is not None:
        raise UsageError(
            msg("--stream goes with --stdout"), msg("A folder takes all streams of a source; leave --stream out.")
        )
    identities = read_identities(identity)
    uncompared = [] if to is None else require_target_apart(session, to)
    set_id, made = _known(session, set_name or "latest", medium)
    stored, findings, warnings = _best_copy(session, set_id, made, medium)
    warnings += uncompared
    if findings.content is None:
        raise SetDamaged(
            msg("set {set} cannot be restored: {problems}", set=set_id, problems="; ".join(findings.problems[:3])),
            findings.hint or msg("Name another copy by --medium."),
        )
    if made is None:
        warnings += _unknown_set(set_id, findings.content.signer)
    warnings += [verbatim(problem) for problem in findings.problems]
    if to is None:
        _backup_handout.hand_out_stream(session, stored, findings.content, identities, source=source, name=stream)
        return Result(None, (), warnings, ExitCode.INTEGRITY if findings.problems else ExitCode.OK)
    base, missing = base_of(media_of(session).values(), findings.content)
    warnings += missing
    total = sum(each.plain_bytes for each in findings.content.streams if source in {None, each.source})
    title = msg("Restoring")
    with session.progress.task(title, total=None if path else total, unit="bytes") as task:
        report = restore_set(
            stored, findings.content, identities, to, source=source, path=path, base=base, on_bytes=task.advance
        )
    exit_code = ExitCode.PARTIAL if report.refused else ExitCode.OK
    if report.damaged or findings.problems:
        exit_code = ExitCode.INTEGRITY
    return Result(
        views.restore_data(report, set_id, str(to)), views.restore_view(report, set_id, str(to)), warnings, exit_code
    )


app.command(help=_backup_adopt.HELP)(_backup_adopt.adopt)
app.command(help=_backup_copy.HELP)(_backup_copy.copy)
app.command(help=_backup_drill.HELP)(_backup_drill.drill)
app.command("take-in", help=_backup_found.HELP)(_backup_found.take_in)
app.command(help=_backup_prune.PRUNE_HELP)(_backup_prune.prune)
app.command(help=_backup_prune.HOLD_HELP)(_backup_prune.hold)
app.command(help=_backup_prune.RELEASE_HELP)(_backup_prune.release)


def _planned(session: Session, kind: SetKind | None = None) -> Result:
    recorded = recorded_sets_of(session, passing_over=True)
    planned = backup_plan(session, recorded, kind)
    sizes = plan_sizes(session, recorded, planned)
    exit_code = ExitCode.UNMET if planned.unmapped or not planned.media else ExitCode.OK
    return Result(views.plan_data(planned, sizes), views.plan_view(planned, sizes), exit_code=exit_code)


def _verify_job(session: Session) -> Result:
    done = by_hand(session, JobKind.VERIFY)
    if not isinstance(done.result, VerifyResult):
        return Result(done.data(), [Notice(verbatim(problem)) for problem in done.problems], exit_code=done.exit_code)
    shown = _verified(done.result.copies, recorded_sets_of(session, passing_over=True))
    return Result(shown.data, shown.view, exit_code=done.exit_code)


def _verified(copies: Sequence[Copy], sets: Sequence[SetEvidence]) -> Result:
    exit_code = ExitCode.OK
    if any(copy.problem or copy.state is not CopyState.VERIFIED for copy in copies):
        exit_code = ExitCode.PARTIAL
    if any(copy.state is CopyState.DAMAGED for copy in copies):
        exit_code = ExitCode.INTEGRITY
    signers = {made.set.id: made.set.signer for made in sets}
    view: list[Block] = [views.copies_table(copies)] if copies else [Paragraph(msg("There is no copy to read yet"))]
    view += [
        Paragraph(views.signed_sentence(set_id, signers.get(set_id, "")))
        for set_id in dict.fromkeys(copy.set_id for copy in copies)
    ]
    data: list[JsonValue] = [
        {**views.copy_data(copy), "signed_by": views.signed_by(signers.get(copy.set_id, ""))} for copy in copies
    ]
    return Result(data, view, exit_code=exit_code)


def _unknown_set(set_id: SetId, signer: str) -> list[Message]:
    """Say what it means that no ledger knows a set."""
    told = msg("the ledger does not know set {set}, so it was not compared with what was recorded", set=set_id)
    key = views.signed_by(signer)
    if key is None:
        return [told, msg("set {set} is unsigned, so nothing tells who made it", set=set_id)]
    return [
        told,
        msg(
            "set {set} is signed by the key {key}: compare it with the allowed_signers of a bundle that somebody kept",
            set=set_id,
            key=key,
        ),
    ]


def _known(session: Session, name: str, medium: str | None) -> tuple[SetId, SetEvidence | None]:
    """Return a set's name and what the ledger knows of it; from the media alone where no ledger knows it."""
    try:
        made = find_set(recorded_sets_of(session), name)
    except PortalOpsError as error:
        if isinstance(error, UsageError):
            raise
        there = sorted(
            {found for each in media_of(session).values() if medium in {None, each.id} for found in _sets_on(each)},
            key=_made_at,
        )
        matching = there[-1:] if name == "latest" else [found for found in there if found.startswith(name)]
        if len(matching) != 1:
            raise
        return matching[0], None
    return made.set.id, made


def _sets_on(medium: Medium) -> tuple[SetId, ...]:
    try:
        return medium.sets()
    except PortalOpsError:
        return ()  # the medium is told of when nothing is found


def _made_at(set_id: SetId) -> str:
    """Return the stamp in a set's name: `<portal>-<stamp>-<kind>-<id>`."""
    return set_id.rsplit("-", 3)[1] if set_id.count("-") >= 3 else ""


def _best_copy(
    session: Session, set_id: SetId, made: SetEvidence | None, medium: str | None
) -> tuple[StoredSet, Findings, list[Message]]:
    """Return the first copy whose structure is whole, or else the first that opens; what stood in the way is told."""
    from backups.verify import verify_copy  # noqa: PLC0415  # start-up time

    media = media_of(session)
    if medium is not None and medium not in media:
        raise UsageError(
            msg("there is no backup medium {medium}", medium=medium[:80]),
            msg("The media are: {media}.", media=", ".join(media) or "-"),
        )
    if not media:
        raise SetNotFound(msg("no backup medium is configured"), msg("Add [[backup.medium]] to the configuration."))
    damaged = {copy.medium for copy in made.copies if copy.state is CopyState.DAMAGED} if made else set()
    bag_sha256 = made.set.bag_sha256 if made else None
    keys = keys_of(session) if made else None
    opened: list[tuple[StoredSet, Findings]] = []
    problems: list[PortalOpsError] = []
    for each in sorted(media.values(), key=lambda one: one.id in damaged):
        if medium in {None, each.id}:
            try:
                stored = each.open_set(set_id)
                findings = verify_copy(stored, set_id, bag_sha256=bag_sha256, level=VerifyLevel.L1, keys=keys)
            except PortalOpsError as error:
                problems.append(error)
                continue
            opened.append((stored, findings))
            if not findings.problems:
                break
    if not opened:
        raise next((each for each in problems if isinstance(each, SetOfLaterVersion)), problems[0])
    stored, findings = opened[-1] if not opened[-1][1].problems else opened[0]
    return stored, findings, [error.message for error in problems]


def _fields(data: JsonValue) -> dict[str, JsonValue]:
    return dict(data) if isinstance(data, dict) else {}
