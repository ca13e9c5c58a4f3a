"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer

from checks.servers.declared import Declared
from commands.cli.session import Session
from commands.incident.steps import OptionalText
from commands.jobs.changes import known_change
from commands.jobs.credentials import held, known_person, refuse_secret
from commands.jobs.servers import known_host
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.incidents import IncidentFacts, ReportKind
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.registers.cases import read_cases
from portalops.registers.changes import read_changes
from portalops.registers.credentials import CredentialRegister, read_credentials
from portalops.registers.findings import read_findings


def report_kind(text: str, option: str) -> ReportKind:
    """Return which report is meant.

    Raises:
        UsageError: it is neither.
    """
    try:
        return ReportKind(text)
    except ValueError as error:
        refuse_secret(text[:200], option)
        raise UsageError(
            msg("{option} does not take {text}", option=option, text=show_text(text, 40)),
            msg("Choose one of: {names}.", names=", ".join(ReportKind)),
        ) from error


Happened = Annotated[
    OptionalText, typer.Option(metavar="MOMENT", help=_("When it began; leave it out while that is unknown"))
]
Affected = Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("What was affected, and how"))]
Many = list[str] | None
Holders = Annotated[Many, typer.Option("--holder", metavar="MEMBER", help=_("Who answers for it; may be repeated"))]
Credentials = Annotated[
    Many, typer.Option("--credential", metavar="ID", help=_("A credential of the register; may be repeated"))
]
Hosts = Annotated[Many, typer.Option("--host", metavar="ID", help=_("A host that it concerns; may be repeated"))]
Changes = Annotated[Many, typer.Option("--change", metavar="ID", help=_("A change of the register; may be repeated"))]
Findings = Annotated[
    Many,
    typer.Option("--finding", metavar="HOST:CHECK", help=_("A finding, as 'check findings' names it; may be repeated")),
]
Cases = Annotated[Many, typer.Option("--case", metavar="ID", help=_("A case of Article 11.3; may be repeated"))]
ChosenT = TypeVar("ChosenT", bound=StrEnum)
_FINDING = re.compile(r"[^\s:]{1,63}:[a-z]+\.[a-z0-9-]{1,60}")


def chosen_word(choices: type[ChosenT], text: str, option: str) -> ChosenT:
    try:
        return choices(text)
    except ValueError as error:
        refuse_secret(text, option)
        raise UsageError(
            msg("{option} does not take {text}", option=option, text=show_text(text, 40)),
            msg("Choose one of: {names}.", names=", ".join(choices)),
        ) from error


def require_order(facts: IncidentFacts) -> None:
    if facts.happened_at is not None and facts.detected_at < facts.happened_at:
        raise UsageError(
            msg(
                "it was noticed at {noticed}, before it began at {began}",
                noticed=facts.detected_at,
                began=facts.happened_at,
            ),
            msg("Give when it began by --happened, and when it was noticed by --detected."),
        )


def tied_facts(session: Session, ties: dict[str, Many]) -> dict[str, Any]:
    """Return what it is tied to, of every list that was given.

    Raises:
        UsageError: something of it does not exist.
    """
    declared = session.settings.declared.parse(Declared)
    looks: dict[str, Callable[[str], str]] = {
        "holders": lambda name: known_person(
            declared, read_credentials(session.reader), name, "--holder", warn=session.warnings.append
        ),
        "credentials": lambda name: held(read_credentials(session.reader), show_id(name, "--credential")).id,
        "hosts": lambda name: known_host(session.settings.hosts, show_id(name, "--host")).id,
        "changes": lambda name: known_change(read_changes(session.reader), show_id(name, "--change")).id,
        "findings": lambda name: _known_finding(session, show_id(name, "--finding")),
        "cases": lambda name: _known_case(session, show_id(name, "--case")),
    }
    return {name: tuple(dict.fromkeys(looks[name](each) for each in given)) for name, given in ties.items() if given}


def show_id(text: str, option: str) -> str:
    """Return an id as it was typed, unless it looks like a secret; raises as `refuse_secret` does."""
    refuse_secret(text[:200], option)
    return show_text(text, 200)


def _known_finding(session: Session, name: str) -> str:
    known = {each.id for each in read_findings(session.reader).findings}
    if name not in known or not _FINDING.fullmatch(name):
        raise UsageError(
            msg("there is no finding {id}", id=show_text(name, 80)),
            msg(
                "'portalops check findings --all' lists the findings; an id is HOST:CHECK, such as"
                " web1:acct.login-attribution."
            ),
        )
    return name


def _known_case(session: Session, name: str) -> str:
    known = {each.id for each in read_cases(session.reader).cases}
    if name not in known:
        raise UsageError(
            msg("there is no case {case}", case=show_text(name, 80)),
            msg("'portalops case list --all' shows the cases; give the whole id."),
        )
    return name


def holders_named(register: CredentialRegister, names: Sequence[str]) -> tuple[str, ...]:
    """Return who holds some credentials now."""
    holders = [register.credentials[name].credential.holder for name in names]
    return tuple(dict.fromkeys(holder for holder in holders if holder))
