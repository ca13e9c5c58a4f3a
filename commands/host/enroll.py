"""Record by which key a host is known

Shows the fingerprint of the host's key, and records the key once a person has compared it with the fingerprint on
paper. Read that at the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. With --fingerprint
nothing is asked. Before, and whenever the host shows another key, no command is sent to it. This needs no login.

Example: portalops host enroll web1 --fingerprint SHA256:uNiVztksCsDhcc0u9e8BrrLHwfFGaOGcRcYhXnWsD1c

EXIT STATUS: 0 recorded, or known by this key already, 2 wrong usage, 3 the host cannot be reached, or shows another
key
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import typer

from checks.servers.shells import target_of
from commands.cli.entries import caller_of
from commands.cli.prompt import prompt_for
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.texts import required_texts
from commands.cli.verb import Verb
from commands.jobs.servers import enrolments_of, known_host
from portalops.errors import HostKeyChanged, UsageError
from portalops.locale import _
from portalops.model.hosts import LOCAL, Enrolment, HostKeyComparison, HostWay
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.text import show_text
from portalops.registers.hosts import ENROLLED, ENROLMENT
from portalops.reports.document import KeyValues, Paragraph
from portalops.signatures.sshsig import fingerprint as fingerprint_of
from portalops.system.ssh_shell import shown_keys

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


@shape
class EnrolledHost:
    """The key by which a host is known."""

    id: HostId
    address: str
    key: str
    fingerprint: str
    compared: HostKeyComparison
    by: str
    """Who compared it."""
    replaces: str
    """The fingerprint of the earlier key; empty if there was none."""
    reason: str
    """Why the key is another one; empty if it is the first."""
    record: int


def enroll(
    ctx: typer.Context,
    host: Annotated[str, typer.Argument(metavar="HOST", help=_("The host's id"))],
    *,
    fingerprint: Annotated[str, typer.Option(metavar="SHA256:...", help=_("The fingerprint on paper"))] = "",
    by: Annotated[str, typer.Option(metavar="NAME", help=_("Who compared it; the account that calls by default"))] = "",
    replace: Annotated[bool, typer.Option("--replace", help=_("Replace the recorded key by the new one"))] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why the key changed"))] = "",
) -> Result[EnrolledHost]:
    session = open_session(ctx)
    way = _way(session, host)
    given = _given(fingerprint)
    shown = _shown(session, way)
    key, compared = _compared(session, host, shown, given)
    before = enrolments_of(session.reader).get(HostId(host))
    if before is not None and before.enrolment.key == key:
        return _result(before.enrolment, before.seq, msg("{host} is already known by this key", host=host))
    if before is not None:
        if not replace:
            raise UsageError(
                msg(
                    "{host} is known by another key: {fingerprint}", host=host, fingerprint=before.enrolment.fingerprint
                ),
                msg(
                    "If the key was changed on purpose, give --replace and --reason; if not, find out which machine"
                    " answers."
                ),
            )
        (reason,) = required_texts({"--reason": reason})
    enrolment = Enrolment(
        HostId(host),
        f"{way.host}:{way.port}",
        key,
        fingerprint_of(key),
        compared,
        show_text(by.strip(), 200) or caller_of(session),
        before.enrolment.fingerprint if before else "",
        reason if before else "",
    )
    record = session.recorder.record(ENROLLED, ENROLMENT, enrolment, subject=host, duty="12.1")
    return _result(enrolment, record.seq, msg("{host} is known by this key from now on", host=host))


def _way(session: Session, host: str) -> HostWay:
    if known_host(session.settings.hosts, host).address == LOCAL:
        raise UsageError(
            msg("{host} is this machine, which needs no key", host=host),
            msg("Run 'portalops check run --host {host}'.", host=host),
        )
    return session.settings.servers.ways[HostId(host)]


def _given(text: str) -> str:
    """Return a fingerprint as ssh-keygen shows it, or an empty text if none was given."""
    found = text.strip().rstrip("=")
    if found and not _FINGERPRINT.fullmatch(found):
        raise UsageError(
            msg("{value} is not a fingerprint", value=show_text(text, 80)),
            msg(
                "Give it as 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub' shows it on the host: SHA256: and 43 letters."
            ),
        )
    return found


def _shown(session: Session, way: HostWay) -> Iterator[tuple[str, str]]:
    """Yield the keys that the host shows with their fingerprints, the best first."""
    enrolled = {each: one.enrolment for each, one in enrolments_of(session.reader).items()}
    jump = target_of(way.jump, session.settings.servers.ways, enrolled) if way.jump else None
    for key in shown_keys(way.host, way.port, jump=jump):
        yield fingerprint_of(key), key


def _compared(
    session: Session, host: str, shown: Iterator[tuple[str, str]], given: str
) -> tuple[str, HostKeyComparison]:
    """Return the key that a person says is the right one, and how it was compared.

    Raises:
        HostKeyChanged: the host shows no key of the fingerprint.
        UsageError: nobody is there to ask.
    """
    seen: dict[str, str] = {}
    if not given:
        best, key = next(shown)
        seen[best] = key
        given = _asked(session, host, best, key)
        if not given:
            return key, HostKeyComparison.CONFIRMED
    while given not in seen:
        found = next(shown, None)
        if found is None:
            raise HostKeyChanged(
                msg("{host} shows no key with this fingerprint; it shows {shown}", host=host, shown=", ".join(seen)),
                msg(
                    "Read the fingerprint again at the host's own console; another machine may answer at this address. Nothing was recorded."
                ),
            )
        seen.update((found,))
    return seen[given], HostKeyComparison.GIVEN


def _asked(session: Session, host: str, best: str, key: str) -> str:
    """Return the fingerprint that a person types, or an empty text where the one shown is said to be right."""
    question = msg(
        "{host} shows {kind} {fingerprint}. Is it the one on paper? Answer yes, or with the fingerprint",
        host=host,
        kind=key.split(maxsplit=1)[0],
        fingerprint=best,
    )

    def accept(answer: str) -> Message | None:
        if answer.lower() in {"yes", "có"} or _FINGERPRINT.fullmatch(answer.rstrip("=")):
            return None
        return msg("Answer yes, or with the fingerprint on paper; Ctrl-C records nothing.")

    prompt = prompt_for(no_input=session.invocation.no_input)
    answer = prompt.ask(question, option="--fingerprint", default="", accept=accept)
    return answer.rstrip("=") if answer.startswith("SHA256:") else ""


def _result(enrolment: Enrolment, seq: int, said: Message) -> Result[EnrolledHost]:
    rows = (
        (msg("Host"), enrolment.host),
        (msg("Address"), enrolment.address),
        (msg("Fingerprint"), enrolment.fingerprint),
        (msg("Compared by"), enrolment.by),
        (msg("Recorded in"), msg("record {seq}", seq=seq)),
    )
    data = EnrolledHost(
        id=enrolment.host,
        address=enrolment.address,
        key=enrolment.key,
        fingerprint=enrolment.fingerprint,
        compared=enrolment.compared,
        by=enrolment.by,
        replaces=enrolment.replaces,
        reason=enrolment.reason,
        record=seq,
    )
    return Result(data, [KeyValues(rows), Paragraph(said)])


VERB = Verb(enroll)
