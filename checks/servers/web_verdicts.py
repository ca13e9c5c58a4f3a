"""What the checks from outside say alike: of hosts that serve no page, and of several servers or answers at once."""

from __future__ import annotations

from collections.abc import Sequence

from checks.servers.check import CheckOutcome, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import outside_ports
from checks.servers.probes.outside_web import WebAnswer
from checks.servers.wording import listed
from portalops.model.message import msg

WEB_PORTS = frozenset({80, 443})


def judge_no_pages(facts: Facts) -> CheckOutcome | None:
    """Judge a host of which it is declared that it serves no page; None where it serves some.

    The ports that pages are served at must really be shut, or the declaration is wrong.
    """
    if facts.declared.sites():
        return None
    ports = facts.get(outside_ports.PROBE)
    if isinstance(ports, MissingFact):
        return unknown(ports.reason, ports.seen)
    if open_ports := ports.filter_by_state("open") & WEB_PORTS:
        return failed(
            "pages-not-declared",
            msg(
                "the host is declared to serve no pages, but port {ports} is open to the Internet",
                ports=listed(str(port) for port in sorted(open_ports)),
            ),
        )
    if not ports.tried >= WEB_PORTS or not ports.answered:
        return unknown("no-answer", msg("the host answered on no port, so nothing is known about the silent ones"))
    return passed(
        msg(
            "the host serves no page, and the ports for pages are shut, seen from {station}", station=str(ports.station)
        )
    )


def unseen(answers: Sequence[WebAnswer]) -> CheckOutcome | None:
    """Return what to say where one of the answers is none, or is of a server in trouble; None where all are there."""
    for each in answers:
        if each.status is None:
            return unknown(
                "page-not-seen",
                msg("{url} gave no answer ({state})", url=shown_url(each), state=each.ended or each.state),
            )
        if each.status >= 500 or each.status == 429:
            return unknown("server-in-trouble", msg("{url} answered {status}", url=shown_url(each), status=each.status))
    return None


def is_page(answer: WebAnswer) -> bool:
    """Say whether there is something to read: a whole page, or what the server shows instead of one."""
    packed = answer.headers.get("content-encoding", "identity").lower() not in {"identity", ""}
    return answer.status == 200 and not packed


def shown_url(answer: WebAnswer) -> str:
    """Return an answer's address, for people."""
    return listed((answer.url,))
