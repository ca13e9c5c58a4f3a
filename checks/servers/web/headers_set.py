"""Pages tell browsers what else may be done with them.

A page that may be framed is put into a stranger's page and clicked through; one whose kind is guessed runs as a program; a
page that passes on its address tells others who reads what. Article 12.4.

The rule: each declared page is sent with a Content-Security-Policy, X-Content-Type-Options: nosniff, and a
Referrer-Policy that is not `unsafe-url`.

Sources: CSP Level 3, Fetch (X-Content-Type-Options), Referrer Policy. Of nginx 1.26:

    Content-Security-Policy: default-src 'self'; frame-ancestors 'none'
    X-Content-Type-Options: nosniff
    Referrer-Policy: strict-origin-when-cross-origin
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import outside_ports, outside_web
from checks.servers.probes.outside_web import WebAnswer
from checks.servers.web_verdicts import judge_no_pages, shown_url, unseen
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_REFERRER = frozenset(
    {
        *("no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin"),
        *("strict-origin", "strict-origin-when-cross-origin"),
    }
)


@check(
    id="web.headers",
    clause="12.4",
    severity=Severity.LOW,
    needs=(outside_web.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("pages are sent with the headers that protect their readers"),
    remedy=msg("Send Content-Security-Policy, X-Content-Type-Options: nosniff and Referrer-Policy with every page."),
)
def judge(facts: Facts) -> CheckOutcome:
    if (done := judge_no_pages(facts)) is not None:
        return done
    pages = list(facts[outside_web.PROBE].last("page"))
    for page in pages:
        if page.status is not None and page.status < 500 and (lacking := _lacking(page)):
            return failed(
                "headers-missing", msg("{url} is sent without {headers}", url=shown_url(page), headers=listed(lacking))
            )
    if (trouble := unseen(pages)) is not None:
        return trouble
    if not pages:
        return unknown("page-not-seen", msg("no page was seen"))
    return passed(msg("all headers are there, seen from {station}", station=str(facts[outside_web.PROBE].station)))


def _lacking(page: WebAnswer) -> list[str]:
    policies = {each.strip().lower() for each in page.headers.get("referrer-policy", "").split(",")}
    good = {
        "Content-Security-Policy": bool(page.headers.get("content-security-policy", "").strip(" ;")),
        "X-Content-Type-Options": page.headers.get("x-content-type-options", "").strip().lower() == "nosniff",
        "Referrer-Policy": bool(policies & _REFERRER) and "unsafe-url" not in policies,
    }
    return [name for name, is_there in good.items() if not is_there]
