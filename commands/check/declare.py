"""Declare what belongs to the servers, drafted from what was seen there

A check that compares with a declaration is unknown until there is one. This lists, over all servers, each declaration
that would settle unknown checks, those that settle most first, drafted from the newest answers. At a terminal each is
shown and asked for once: yes, no, or edit. Whatever has crept in is in the draft too: say yes only to what belongs
there. --yes-to accepts by name without asking, for all servers or one (web1/listeners). Drafts without
evidence are marked, and are accepted for one server at a time.

What is accepted is written to conf.d/declared-HOST.toml, once it was read back as configuration. The ledger records
who declared it, and from which answer. With HOST, the whole approved state of that server is printed, and nothing is
written.

Example: portalops check declare; portalops check declare --yes-to web1/admins --by NAME; portalops check declare web1

EXIT STATUS: 0 declared, shown or nothing to declare, 1 no scan is recorded, 2 wrong usage, 3 the newest scan did not
reach the host, 4 a file cannot be written, 78 the configuration would be wrong
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Optional

import typer

from checks.servers.declared import Declared
from checks.servers.drafting import PROBES, draft, written
from checks.servers.facts import Facts, found_in
from checks.servers.proposals import Proposal, is_declarable
from commands.check.steps import newest_scan
from commands.check.views import describe_supplier
from commands.cli.editing import edited
from commands.cli.entries import caller_of
from commands.cli.prompt import Prompt, TerminalPrompt, prompt_for
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.texts import required_texts
from commands.cli.verb import Verb
from commands.jobs.declaring import declare_by, files_of, proposals_of, tables_in
from commands.jobs.servers import known_host
from portalops.errors import HostUnreachable, LedgerMissing, UsageError
from portalops.locale import _
from portalops.model.checks import CheckScan, HostScan
from portalops.model.message import Message, msg, nmsg, together
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest, Recorded
from portalops.model.rulebook import DutyId, Rulebook
from portalops.model.text import show_text
from portalops.model.verdicts import CheckVerdict
from portalops.reports.document import Block, Paragraph, TableBlock, Verbatim
from portalops.reports.hints import steps_table

SHOWN_LINES = 30
"""Of a draft that is asked for at the terminal; an editor shows all of it."""


@shape
class DraftedDeclaration:
    """The declaration of a host, drafted from its newest answer."""

    id: HostId
    evidence: Digest
    """SHA-256 of that answer."""
    toml: str


@shape
class SettledResult:
    """An unknown check that a declaration settles."""

    host: HostId
    check: str
    verdict: CheckVerdict


@shape
class WaitingResult:
    """An unknown check that the next scan can settle after a declaration."""

    host: HostId
    check: str


@shape
class ProposedDeclaration:
    """One declaration that would settle unknown checks."""

    id: str
    """What --yes-to takes: the name, with the host before it."""
    host: HostId | None
    """Null for the whole portal."""
    toml: str
    settles: tuple[SettledResult, ...]
    waits: tuple[WaitingResult, ...]
    duties: tuple[DutyId, ...]
    """For which the checks count."""
    evidence: Digest | None
    """SHA-256 of the answer that it was drafted from; null where it was drafted from none."""
    declared: bool


@shape
class DeclarationList:
    """What could be declared, and what was."""

    unknown: int
    """Unknown checks of the newest scan."""
    left: int
    """Of them, those that what was declared now does not move."""
    declarations: tuple[ProposedDeclaration, ...]
    files: tuple[Path, ...]
    records: tuple[int, ...]


YesTo = Annotated[
    Optional[list[str]],  # noqa: UP045  # Typer reads it at run time
    typer.Option(
        "--yes-to", metavar="NAME", help=_("Accept this draft, of all servers or as HOST/NAME; may be repeated")
    ),
]


def declare(
    ctx: typer.Context,
    host: Annotated[
        Optional[str],  # noqa: UP045  # as above
        typer.Argument(metavar="HOST", help=_("Print the whole approved state of this host, and nothing else")),
    ] = None,
    *,
    yes_to: YesTo = None,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who declares it"))] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result[DraftedDeclaration | DeclarationList]:
    session = open_session(ctx)
    if host is not None:
        if yes_to or by or dry_run:
            raise UsageError(
                msg("HOST is given with --yes-to, --by or --dry-run"),
                msg("Leave HOST out: '--yes-to {host}/NAME' accepts a draft of one server.", host=host[:60]),
            )
        return _draft(session, host)
    newest = _scan(session)
    proposals = proposals_of(session, newest.body)
    chosen = _named(proposals, yes_to or ())
    if yes_to and not by.strip():
        raise UsageError(msg("--yes-to needs --by"), msg("Name the person who declares it with --by NAME."))
    who = show_text(required_texts({"--by": by})[0], 200) if by.strip() else caller_of(session)
    changed: frozenset[str] = frozenset()
    prompt = prompt_for(no_input=session.invocation.no_input)
    if not (yes_to or dry_run or session.invocation.json) and isinstance(prompt, TerminalPrompt):
        chosen, changed = _asked(prompt, proposals)
    files = files_of(session, chosen)
    records = declare_by(session, chosen, files, who, changed) if chosen and not dry_run else ()
    paths = [] if dry_run else [each.path for each in files]
    return _shown(session, newest.body, proposals, accepted=chosen, files=paths, records=records)


def _draft(session: Session, host: str) -> Result[DraftedDeclaration | DeclarationList]:
    known = known_host(session.settings.hosts, host)
    scanned, evidence = _newest(session, known)
    probes = {probe.id: probe for probe in PROBES}
    found, _repeated = found_in(session.ledger.blob(evidence), probes, scanned.gathered_at)
    text = draft(Facts(known, Declared().find_host(known.id), scanned.gathered_at, found))
    warnings = (describe_supplier(scanned),) if scanned.brought_by else ()
    return Result(DraftedDeclaration(known.id, evidence, text), [Verbatim(text)], warnings)


def _scan(session: Session) -> Recorded[CheckScan]:
    """Return the newest scan.

    Raises:
        LedgerMissing: there is none yet.
    """
    newest = newest_scan(session)
    if newest is None:
        raise LedgerMissing(msg("no scan is recorded yet"), msg("Run 'portalops check run' to start the first scan."))
    return newest


def _newest(session: Session, host: Host) -> tuple[HostScan, Digest]:
    """Return what the newest scan has of a host, and its answer.

    Raises:
        LedgerMissing: there is no scan yet.
        HostUnreachable: the host was not reached in it.
    """
    for each in _scan(session).body.hosts:
        if each.host == host.id and each.reached and not each.standby and (answer := each.answer()):
            return each, answer
    raise HostUnreachable(
        msg("the newest scan did not reach {host}", host=host.id),
        msg("Run 'portalops host test {host}' to see why, then 'portalops check run'.", host=host.id),
    )


def _named(proposals: Sequence[Proposal], names: Sequence[str]) -> list[Proposal]:
    """Return the proposals of these names.

    Raises:
        UsageError: there is no such proposal.
    """
    for name in names:
        if not any(name in {each.id, each.name} for each in proposals):
            raise UsageError(
                msg("there is no draft {name}", name=show_text(name, 60)),
                msg(
                    "The drafts are: {names}.", names=", ".join(sorted({each.id for each in proposals})) or msg("none")
                ),
            )
        if guessed := next((each for each in proposals if each.is_guessed and each.name == name), None):
            raise UsageError(
                msg("{name} is drafted without evidence, so it is not accepted for all servers", name=name),
                msg("Check each server, then accept its own draft, such as --yes-to {id}.", id=guessed.id),
            )
    return [each for each in proposals if {each.id, each.name} & set(names)]


def _asked(prompt: Prompt, proposals: Sequence[Proposal]) -> tuple[list[Proposal], frozenset[str]]:
    """Ask for each draft once; return those that were accepted, and the names of those that were edited."""
    accepted: list[Proposal] = []
    changed: set[str] = set()

    def accept(answer: str) -> Message | None:
        if answer.lower() in {*_YES, *_NO, *_EDIT}:
            return None
        return msg("Answer y (yes), n (no) or e (edit); Ctrl-C declares nothing.")

    for number, each in enumerate(proposals, 1):
        one, is_refused = each, False
        while True:
            question = msg(
                "{draft}\n{number} of {total}: {effect}. Declare {id}? y, n or e",
                draft=_bounded(_toml(one)),
                number=number,
                total=len(proposals),
                effect=_effect(one),
                id=one.id,
            )
            if is_refused:
                refusal = msg("The edited text cannot be declared; the draft stands as it was.")
                question = msg("{refusal}\n{question}", refusal=refusal, question=question)
            answer = prompt.ask(question, option="--yes-to", default="", accept=accept).lower()
            if answer not in _EDIT:
                break
            tables = _edited_tables(one)
            is_refused = tables is None
            if tables is not None and tables != dict(one.tables):
                one = replace(one, tables=tables)
                changed.add(one.id)
        if answer in _YES:
            accepted.append(one)
    return accepted, frozenset(changed)


_YES, _NO, _EDIT = ("y", "yes", "c", "có"), ("n", "no", "k", "không"), ("e", "edit", "s", "sửa")


def _edited_tables(one: Proposal) -> Mapping[str, object] | None:
    """Return what a person made of a draft in an editor; None where that can't be declared."""
    text = edited(_toml(one))
    if text is None:
        return one.tables
    tables = tables_in(text)
    for key in _place(one):
        inner = tables.get(key) if tables else None
        tables = inner if isinstance(inner, dict) else None
    return tables if tables is not None and is_declarable(one, tables) else None


def _place(one: Proposal) -> tuple[str, ...]:
    return ("checks", "declared", *(("host", one.host) if one.host else ()))


def _toml(one: Proposal) -> str:
    head = ["# without evidence"] if one.is_guessed else []
    return "\n".join((*head, *written(_place(one), one.tables)))


def _bounded(text: str) -> str:
    lines = text.split("\n")
    more = len(lines) - SHOWN_LINES
    return text if more <= 0 else "\n".join((*lines[:SHOWN_LINES], f"# ... {more} more"))


def _effect(one: Proposal) -> Message:
    verdicts = [each.verdict for each in one.settled]
    passed, failed = verdicts.count(CheckVerdict.PASS), verdicts.count(CheckVerdict.FAIL)
    none = verdicts.count(CheckVerdict.NOT_APPLICABLE)
    said = (
        (passed, msg("{n} pass", n=passed)),
        (failed, msg("{n} fail", n=failed)),
        (none, msg("{n} not applicable", n=none)),
        (len(one.waiting), msg("{n} at the next scan", n=len(one.waiting))),
    )
    return together([text for n, text in said if n])


def _duties(rulebook: Rulebook, one: Proposal) -> tuple[DutyId, ...]:
    return tuple(duty.id for duty in rulebook.duties if one.named_checks() & set(duty.checks))


def _shown(
    session: Session,
    scan: CheckScan,
    proposals: Sequence[Proposal],
    *,
    accepted: Iterable[Proposal],
    files: Sequence[Path],
    records: Sequence[int],
) -> Result[DraftedDeclaration | DeclarationList]:
    taken = {each.id: each for each in accepted}
    unknown = [each for each in scan.results() if each.verdict is CheckVerdict.UNKNOWN]
    moved = {
        pair for each in taken.values() for pair in (*((one.host, one.check) for one in each.settled), *each.waiting)
    }
    left = [each for each in unknown if (each.host, each.check) not in moved]
    rows = []
    data = []
    for each in proposals:
        one, duties = taken.get(each.id, each), _duties(session.rulebook, each)
        verb = msg("declared") if files and each.id in taken else msg("would be declared") if each.id in taken else None
        if verb is None and each.is_guessed:
            verb = msg("without evidence")
        rows.append((each.id, each.moved, _effect(each), ", ".join(duties), verb))
        data.append(
            ProposedDeclaration(
                id=each.id,
                host=HostId(each.host) if each.host else None,
                toml=_toml(one),
                settles=tuple(SettledResult(case.host, case.check, case.verdict) for case in each.settled),
                waits=tuple(WaitingResult(name, check) for name, check in each.waiting),
                duties=duties,
                evidence=each.evidence,
                declared=bool(files) and each.id in taken,
            )
        )
    headers = (msg("Draft"), msg("Unknown"), msg("What becomes of them"), msg("Duties"), msg("State"))
    view: list[Block] = []
    if rows:
        caption = nmsg(
            "{n} declaration would settle unknown checks", "{n} declarations would settle unknown checks", len(rows)
        )
        view.append(TableBlock(caption, headers, rows))
    view.append(
        Paragraph(
            nmsg(
                "{n} check of the newest scan is unknown; {left} after what is accepted here",
                "{n} checks of the newest scan are unknown; {left} after what is accepted here",
                len(unknown),
                left=len(left),
            )
        )
    )
    if taken and (steps := steps_table(left)):
        view.append(steps)
    view += [Paragraph(msg("written: {path}", path=str(path))) for path in files]
    if files:
        view.append(Paragraph(msg("Next: 'portalops check run' judges by what is declared now.")))
    elif rows and not taken:
        view.append(
            Paragraph(msg("Run this at a terminal to be asked for each, or accept drafts by --yes-to NAME --by NAME."))
        )
    return Result(DeclarationList(len(unknown), len(left), tuple(data), tuple(files), tuple(records)), view)


VERB = Verb(declare)
