"""Visitors without encryption are redirected to HTTPS, and browsers remember it.

The first plain request is enough for an attacker in between to answer it. Article 12.4.

The rule: at each name and address, port 80 redirects the front page and each declared page to https of the same
name, with 301 or 308. It may also not answer at all, and another page than the front may be refused there. And https
answers with Strict-Transport-Security of at least {least_days} days; of several such headers browsers take the first,
and one that names a directive twice they drop.

Sources: RFC 6797 (6.1, 7.2), RFC 9110 (15.4). nginx 1.26:

    HTTP/1.1 301 Moved Permanently
    Location: https://portal.example.vn/
    Strict-Transport-Security: max-age=31536000; includeSubDomains
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.outside.web import target_of_redirect, url_of
from checks.servers.probe import shown
from checks.servers.probes import outside_ports, outside_web
from checks.servers.probes.outside_web import WebAnswer
from checks.servers.web_verdicts import judge_no_pages, shown_url, unseen
from portalops.model.message import msg
from portalops.model.verdicts import Severity

LEAST_SECONDS = 180 * 86400
_REFUSED = frozenset({400, 403, 404, 410, 421, 426})
_MAX_AGE = re.compile(r"max-age\s*=\s*(?:(\d{1,12})|\"(\d{1,12})\")")


@check(
    id="web.https",
    clause="12.4",
    severity=Severity.MEDIUM,
    needs=(outside_web.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("plain HTTP redirects to HTTPS, and HSTS makes browsers remember it"),
    remedy=msg("Answer port 80 with a 301 to https, and send 'Strict-Transport-Security: max-age=31536000'."),
    numbers={"least_days": LEAST_SECONDS // 86400},
)
def judge(facts: Facts) -> CheckOutcome:
    if (done := judge_no_pages(facts)) is not None:
        return done
    seen = facts[outside_web.PROBE]
    roots, plain = _answering(seen.last("root")), list(seen.last("plain"))
    for answer in plain:
        if answer.status is not None and (wrong := _not_redirected(answer)) is not None:
            return wrong
    for answer in roots:
        if answer.status is not None and answer.status < 500 and _remembered_seconds(answer) < LEAST_SECONDS:
            value = answer.headers.get("strict-transport-security", "-")
            return failed(
                "no-hsts",
                msg("{url} sends Strict-Transport-Security: {value}", url=shown_url(answer), value=shown(value, 60)),
            )
    if (trouble := unseen(roots)) is not None:
        return trouble
    silent = [each for each in plain if each.status is None]
    if not roots or not plain or any(each.state not in {"closed", "filtered"} for each in silent):
        return unknown("plain-not-seen", msg("the answer of port 80 could not be read"))
    return passed(msg("plain HTTP redirects to HTTPS or is shut, seen from {station}", station=str(seen.station)))


def _answering(answers: Iterable[WebAnswer]) -> list[WebAnswer]:
    """Leave out the addresses at which nothing listens, where another one of the same page answers."""
    found = list(answers)
    answered = {each.asked for each in found if each.status is not None}
    return [each for each in found if each.asked not in answered or each.state not in {"closed", "filtered"}]


def _not_redirected(answer: WebAnswer) -> CheckOutcome | None:
    url = url_of(answer.url)
    if url.target != "/" and answer.status in _REFUSED:
        return None
    to = target_of_redirect(url, answer.headers.get("location", "")) if answer.is_redirect else None
    if to is not None and to.is_tls and to.name == url.name:
        if answer.status in {301, 308}:
            return None
        return failed(
            "redirect-not-permanent",
            msg(
                "{url} redirects to https with {status}, which is not permanent",
                url=shown_url(answer),
                status=answer.status or "-",
            ),
        )
    return failed(
        "plain-http",
        msg(
            "{url} answers {status} and does not redirect to https", url=shown_url(answer), status=answer.status or "-"
        ),
    )


def _remembered_seconds(answer: WebAnswer) -> int:
    first = answer.headers.get("strict-transport-security", "").lower().partition(",")[0]
    directives = [each.strip() for each in first.split(";") if each.strip()]
    names = [each.partition("=")[0].strip() for each in directives]
    if len(set(names)) < len(names):
        return 0
    return next((int(told[1] or told[2]) for told in map(_MAX_AGE.fullmatch, directives) if told), 0)
