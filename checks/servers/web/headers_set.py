"""Pages tell browsers what else may be done with them.

A page that may be framed is put into a stranger's page and clicked through; one whose kind is guessed runs as a program; a
page that passes on its address tells others who reads what. Article 12.4.

The rule: each declared page is sent with X-Content-Type-Options: nosniff; with a Content-Security-Policy that binds scripts
(`script-src`, or else `default-src`, without `*`, `http:`, `https:`, `data:`, and without 'unsafe-inline' where no nonce or
digest overrules it; of `script-src-elem` and `script-src-attr`, which browsers heed before it, the same is asked); with `frame-ancestors` other than everybody (`*`, a
scheme, `https://*.vn`) or, where no policy has it, X-Frame-Options; and with a Referrer-Policy that is not `unsafe-url`, in the page's
own `meta` neither: of several words browsers take the last that they know. A policy that only reports binds nothing; nor does one with a nonce that two answers have, which a stranger
can name too. It does not see
whether a host that a policy names serves scripts of strangers.

Sources: CSP Level 3, Fetch (X-Content-Type-Options), Referrer Policy. Of nginx 1.26:

    Content-Security-Policy: default-src 'self'; frame-ancestors 'none'
    X-Content-Type-Options: nosniff
    Referrer-Policy: strict-origin-when-cross-origin
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

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
        *("strict-origin", "strict-origin-when-cross-origin", "unsafe-url"),
    }
)
_EVERYBODY = re.compile(r"[a-z][a-z0-9+.-]*:|(?:[a-z][a-z0-9+.-]*://)?\*(?:\.[a-z0-9-]+)?(?::[0-9*]+)?(?:/.*)?")
"""A scheme, any host, or all hosts of a top level domain; with or without a port and a path."""
_NONCE = re.compile(r"'nonce-[^'\s;,]{1,200}'")
_META = re.compile(rb"<meta\s[^<>]{0,200}\bname\s{0,9}=\s{0,9}[\"']?referrer\b[^<>]{0,300}", re.IGNORECASE)


@check(
    id="web.headers",
    clause="12.4",
    severity=Severity.LOW,
    needs=(outside_web.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("pages are sent with the headers that protect their readers"),
    remedy=msg(
        "Send Content-Security-Policy with script-src and frame-ancestors, X-Content-Type-Options: nosniff and Referrer-Policy with every page."
    ),
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
    repeated = _repeated_nonces(facts[outside_web.PROBE].answers)
    for page in pages:
        if page.status == 200 and _lacking(page, repeated):
            said = msg(
                "{url} is sent with the same nonce in two answers, so scripts of strangers can name it",
                url=shown_url(page),
            )
            return failed("nonce-repeated", said)
    if (trouble := unseen(pages)) is not None:
        return trouble
    if not pages:
        return unknown("page-not-seen", msg("no page was seen"))
    for page in pages:
        if page.status != 200:
            said = msg(
                "{url} answered {status}, so its headers prove nothing", url=shown_url(page), status=page.status or "-"
            )
            return unknown("page-not-seen", said)
    return passed(msg("all headers are there, seen from {station}", station=str(facts[outside_web.PROBE].station)))


def _repeated_nonces(answers: Iterable[WebAnswer]) -> frozenset[str]:
    """Return the nonces that more than one answer has."""
    policies = (each.headers.get("content-security-policy", "").lower() for each in answers if each.why == "page")
    counts = Counter(nonce for policy in policies for nonce in set(_NONCE.findall(policy)))
    return frozenset(nonce for nonce, count in counts.items() if count > 1)


def _lacking(page: WebAnswer, known_nonces: frozenset[str] = frozenset()) -> list[str]:
    policies = [_directives(each) for each in page.headers.get("content-security-policy", "").split(",")]
    frame_options = page.headers.get("x-frame-options", "").partition(",")[0].strip().lower()
    known = [each for each in map(_word, page.headers.get("referrer-policy", "").split(",")) if each in _REFERRER]
    good = {
        "Content-Security-Policy": any(_binds_scripts(each, known_nonces) for each in policies),
        "X-Frame-Options": (
            any(map(_binds_frames, policies))
            if any("frame-ancestors" in each for each in policies)  # browsers overlook the other header then
            else frame_options in {"deny", "sameorigin"}
        ),
        "X-Content-Type-Options": _word(page.headers.get("x-content-type-options", "").partition(",")[0]) == "nosniff",
        "Referrer-Policy": bool(known)
        and known[-1] != "unsafe-url"
        and not any(map(_tells_all, _META.findall(page.body))),
    }
    return [name for name, is_there in good.items() if not is_there]


def _tells_all(element: bytes) -> bool:
    """Say whether an element of the page, which goes before the header, sends whole addresses to everybody."""
    return b"unsafe-url" in element.lower() or b"always" in element.lower()


def _is_everybody(sources: Iterable[str]) -> bool:
    return any(_EVERYBODY.fullmatch(each) for each in sources)


def _word(text: str) -> str:
    return text.strip().lower()


def _directives(policy: str) -> dict[str, list[str]]:
    """Return the sources of each directive; of one that stands twice, the first counts."""
    found: dict[str, list[str]] = {}
    for part in policy.split(";"):
        name, *sources = part.lower().split()[:200] or [""]
        found.setdefault(name, sources)
    return found


def _binds_scripts(policy: dict[str, list[str]], known_nonces: frozenset[str]) -> bool:
    scripts = policy.get("script-src", policy.get("default-src"))
    return all(
        _binds(policy.get(name, scripts), known_nonces) for name in ("script-src", "script-src-elem", "script-src-attr")
    )


def _binds(sources: list[str] | None, known_nonces: frozenset[str]) -> bool:
    if sources is None or not known_nonces.isdisjoint(sources):
        return False
    is_strict = any(each.startswith(("'nonce-", "'sha")) for each in sources)
    if "'strict-dynamic'" in sources and is_strict:
        return True  # browsers overlook the rest then
    return not _is_everybody(sources) and ("'unsafe-inline'" not in sources or is_strict)


def _binds_frames(policy: dict[str, list[str]]) -> bool:
    return "frame-ancestors" in policy and not _is_everybody(policy["frame-ancestors"])
