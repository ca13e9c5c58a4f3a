"""Explain a code, check, verdict or duty

Takes an error code (PO1203), a check (ssh.root-login), an exit code (exit-3), a verdict (insufficient-evidence) or a
duty (10.2-content). Without one, lists what there is.

Example: portalops explain PO1203

EXIT STATUS: 0 explained, 2 there is nothing of that name
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from checks.servers.catalogue import checks
from commands.cli.check_page import page_blocks
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops import errors
from portalops.errors import ConfigurationError, ExitCode, PortalOpsError, UsageError
from portalops.locale import _
from portalops.locale.pages import vietnamese_page
from portalops.model.message import Message, msg
from portalops.model.rulebook import Rulebook
from portalops.model.verdicts import CheckVerdict, DutyVerdict, Severity
from portalops.reports.document import Block, Cell, Heading, KeyValues, Paragraph, TableBlock
from portalops.reports.words import check_status, duty_status, severity_status
from portalops.rulebooks.load import load

if TYPE_CHECKING:
    from checks.servers.check import Check


@shape
class ExplainedSubject:
    """Something that can be explained."""

    id: str
    kind: str
    title: str


@shape
class ErrorPage:
    """An error of portalops."""

    id: str
    name: str
    explanation: str
    exit_code: int
    kind: Literal["error"] = "error"


@shape
class ExitCodePage:
    """An exit code, and the errors that end with it."""

    id: str
    meaning: str
    errors: tuple[str, ...]
    kind: Literal["exit-code"] = "exit-code"


@shape
class VerdictPage:
    """A verdict on a duty or of a check."""

    id: str
    kind: Literal["duty-verdict", "check-verdict"]
    explanation: str


@shape
class CheckPage:
    """A check of servers."""

    id: str
    title: str
    clause: str
    severity: Severity
    remedy: str
    page: str
    page_vi: str | None
    kind: Literal["check"] = "check"


@shape
class TwoLanguages:
    """A text of the rulebook in both languages."""

    vi: str
    en: str


@shape
class DutyPage:
    """A duty of the rulebook."""

    id: str
    title: TwoLanguages
    clause: str
    text: str
    evidence: TwoLanguages
    checks: tuple[str, ...]
    rulebook: str
    kind: Literal["duty"] = "duty"


AnyPage: TypeAlias = ErrorPage | ExitCodePage | VerdictPage | CheckPage | DutyPage
Page: TypeAlias = tuple[AnyPage, list[Block]]
"""The same for programs and for people."""

DEFAULT_RULEBOOK = "kh-37-2010"
"""Whose duties are explained where there is no configuration that names one."""

DUTY_VERDICTS: Mapping[DutyVerdict, Message] = {
    DutyVerdict.MET: msg("There is evidence for the whole period that what the clause asks for was done."),
    DutyVerdict.UNMET: msg("There is evidence that what the clause asks for was not done, or not in time."),
    DutyVerdict.EXEMPT: msg("Nothing was due in the period: a week of holidays, or an exemption with its document."),
    DutyVerdict.NOT_ASSESSED: msg(
        "It is not judged for this period: the unit did not exist, or the judging has not begun."
    ),
    DutyVerdict.INSUFFICIENT_EVIDENCE: msg(
        "It could not be found out: what should have been observed was not observed. It is never counted as met, and never"
        " held against a unit as unmet."
    ),
    DutyVerdict.PENDING: msg(
        "It rests on dates that only the publisher claims; a named officer has yet to confirm them."
    ),
}
CHECK_VERDICTS: Mapping[CheckVerdict, Message] = {
    CheckVerdict.PASS: msg("The good state was seen on the host, with fresh and complete facts."),
    CheckVerdict.FAIL: msg("It was seen on the host that the good state does not hold."),
    CheckVerdict.UNKNOWN: msg(
        "Whether the good state holds could not be found out; the reason says why. It is never a pass."
    ),
    CheckVerdict.NOT_APPLICABLE: msg("A role that the configuration declares for the host exempts it from this check."),
    CheckVerdict.ERROR: msg(
        "The check itself crashed: a fault in portalops, shown as a result so that it is never lost."
    ),
}


def explainable() -> tuple[str, ...]:
    """Return the name of all that can be explained where there is no configuration."""
    return tuple(_subjects(load(DEFAULT_RULEBOOK, {})))


def explain(
    ctx: typer.Context,
    code: Annotated[
        str,
        typer.Argument(help=_("What to explain; without it, everything is listed"), autocompletion=explainable),
    ] = "",
) -> Result[AnyPage | tuple[ExplainedSubject, ...]]:
    session = open_session(ctx)
    subjects = _subjects(_rulebook(session))
    if not code:
        return _overview(subjects)
    found = next((subjects[name] for name in (code, code.upper(), code.lower()) if name in subjects), None)
    if found is None:
        close = get_close_matches(code, subjects, 1, cutoff=0.5) or get_close_matches(code.upper(), subjects, 1)
        raise UsageError(
            msg("there is nothing to explain about {code}", code=repr(code[:60])),
            msg("Did you mean 'portalops explain {close}'?", close=close[0])
            if close
            else msg("Run 'portalops explain' to see what can be explained."),
        )
    data, view = found.page()
    return Result(data, view)


class _Subject:
    """Something that can be explained."""

    def __init__(self, kind: Message, title: Message, page: Callable[[], Page]) -> None:
        self.kind = kind
        self.title = title
        self.page = page


def _subjects(rulebook: Rulebook) -> dict[str, _Subject]:
    return {
        **dict(_duties(rulebook)),
        **dict(_verdicts()),
        **dict(_exit_codes()),
        **dict(_checks()),
        **dict(_errors()),
    }


def _overview(subjects: Mapping[str, _Subject]) -> Result[tuple[ExplainedSubject, ...]]:
    rows = [(name, subject.kind, subject.title) for name, subject in subjects.items()]
    headers = (msg("Name"), msg("What it is"), msg("In short"))
    return Result(
        data=tuple(ExplainedSubject(name, str(subject.kind), str(subject.title)) for name, subject in subjects.items()),
        view=[TableBlock(msg("What can be explained"), headers, rows)],
    )


def error_classes() -> tuple[type[PortalOpsError], ...]:
    """Return every class of error, by code."""
    found = [
        member
        for _name, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, PortalOpsError) and member.__module__ == errors.__name__
    ]
    return tuple(sorted(found, key=lambda member: member.code))


def _errors() -> Iterator[tuple[str, _Subject]]:
    for member in error_classes():
        yield member.code, _Subject(msg("error"), member.explanation, partial(_error_page, member))


def _error_page(member: type[PortalOpsError]) -> Page:
    exit_code = member.exit_code
    data = ErrorPage(member.code, member.__name__, str(member.explanation), int(exit_code))
    return data, [
        Heading(2, msg("{code}: {name}", code=member.code, name=member.__name__)),
        Paragraph(member.explanation),
        KeyValues([(msg("Exit code"), _exit_phrase(exit_code))]),
    ]


def _exit_codes() -> Iterator[tuple[str, _Subject]]:
    for code in ExitCode:
        yield f"exit-{int(code)}", _Subject(msg("exit code"), code.meaning, partial(_exit_page, code))


def _exit_page(code: ExitCode) -> Page:
    raised = [member for member in error_classes() if member.exit_code is code]
    data = ExitCodePage(f"exit-{int(code)}", str(code.meaning), tuple(member.code for member in raised))
    blocks: list[Block] = [Heading(2, _exit_phrase(code))]
    if raised:
        rows = [(member.code, member.explanation) for member in raised]
        blocks.append(TableBlock(msg("Errors that end with it"), (msg("Code"), msg("What it means")), rows))
    return data, blocks


def _exit_phrase(code: ExitCode) -> Message:
    return msg("{code}: {meaning}", code=str(int(code)), meaning=code.meaning)


def _verdicts() -> Iterator[tuple[str, _Subject]]:
    for duty in DutyVerdict:
        text, word = DUTY_VERDICTS[duty], duty_status(duty).word
        yield (
            duty.value,
            _Subject(msg("verdict on a duty"), text, _verdict_page(duty.value, "duty-verdict", word, text)),
        )
    for check in CheckVerdict:
        text, word = CHECK_VERDICTS[check], check_status(check).word
        yield (
            check.value,
            _Subject(msg("verdict of a check"), text, _verdict_page(check.value, "check-verdict", word, text)),
        )


def _verdict_page(
    name: str, kind: Literal["duty-verdict", "check-verdict"], word: Message, text: Message
) -> Callable[[], Page]:
    data = VerdictPage(name, kind, str(text))
    return lambda: (data, [Heading(2, msg("{word} ({name})", word=word, name=name)), Paragraph(text)])


def _checks() -> Iterator[tuple[str, _Subject]]:
    for check in checks():
        yield check.id, _Subject(msg("server check"), check.title, partial(_check_page, check))


def _check_page(check: Check) -> Page:
    data = CheckPage(
        id=check.id,
        title=str(check.title),
        clause=check.clause,
        severity=check.severity,
        remedy=str(check.remedy),
        page=check.page,
        page_vi=vietnamese_page(check.id, check.numbers),
    )
    return data, [
        Heading(2, msg("{check}: {title}", check=check.id, title=check.title)),
        KeyValues(
            [
                (msg("Clause"), check.clause),
                (msg("Severity"), severity_status(check.severity)),
                (msg("Remedy"), check.remedy),
            ]
        ),
        *page_blocks(check.id, check.page, check.numbers),
    ]


def _duties(rulebook: Rulebook) -> Iterator[tuple[str, _Subject]]:
    for duty in rulebook.duties:
        title = msg("{title}", title=duty.title)
        yield duty.id, _Subject(msg("duty"), title, partial(_duty_page, duty.id, rulebook))


def _duty_page(duty_id: str, rulebook: Rulebook) -> Page:
    duty = next(duty for duty in rulebook.duties if duty.id == duty_id)
    clause = rulebook.clause(duty.clause)
    data = DutyPage(
        id=duty.id,
        title=TwoLanguages(duty.title.vi, duty.title.en),
        clause=clause.id,
        text=clause.text,
        evidence=TwoLanguages(duty.evidence.vi, duty.evidence.en),
        checks=duty.checks,
        rulebook=f"{rulebook.id}@{rulebook.version}",
    )
    facts: list[tuple[Message, Cell]] = [
        (msg("Clause"), clause.id),
        (msg("Text"), clause.text),
        (msg("What counts as evidence"), duty.evidence),
        (msg("Document"), rulebook.document),
    ]
    if duty.checks:
        facts.insert(3, (msg("Server checks"), ", ".join(duty.checks)))
    return data, [
        Heading(2, msg("{duty}: {title}", duty=duty.id, title=duty.title)),
        KeyValues(facts),
        Paragraph(msg("'portalops status {duty}' shows where it stands and what is missing.", duty=duty.id)),
    ]


def _rulebook(session: Session) -> Rulebook:
    """Return the configured rulebook; without a configuration, the one that is shipped for Khánh Hòa."""
    try:
        return session.rulebook
    except ConfigurationError:
        return load(DEFAULT_RULEBOOK, {})


VERB = Verb(explain)
