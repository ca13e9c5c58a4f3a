"""Pages for administrators are refused to the world.

A login that everybody sees is tried by everybody, and its program's next hole is theirs too. Article 12.4.

The rule: each declared path of `admin_paths` answers a stranger with 403, 404, 410, 421 or 451, or hangs up. A login page,
any other page, or a 401, which asks for a name, is open to the world. Portals that answer 200 to everything are recognised
by a path that does not exist: what is the same as that is nothing. A redirect within the name is gone after. Other spellings
of each path are tried too (without or with the last slash, `//`, `/./`, `/;/`, a letter as `%61`, capitals), and `index.php`, `index.html` and `login` below it: none may show a login
page or what the path itself would, beside the portal's own pages. It does not see other pages below the path.

Source: RFC 9110 (15.5). WordPress 6.8, as delivered:

    GET /wp-admin/ -> 302 /wp-login.php -> 200 with an input of type password
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.outside.web import url_of
from checks.servers.outside.words import ReadPage
from checks.servers.probes import outside_ports, outside_web
from checks.servers.probes.outside_web import WebAnswer
from checks.servers.web_verdicts import judge_no_pages, shown_url
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_REFUSED = frozenset({403, 404, 410, 421, 451})
_ALIKE = 0.9
"""So much of the words of the page that nobody has makes another one the same."""


@check(
    id="web.admin-exposed",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(outside_web.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("administration pages are refused to the public"),
    remedy=msg("Let the web server take these paths from the administrators' networks only."),
)
def judge(facts: Facts) -> CheckOutcome:
    if (done := judge_no_pages(facts)) is not None:
        return done
    if facts.declared.admin_paths is None:
        return unknown("not-declared", msg("the paths of the administration pages are not declared"))
    seen = facts[outside_web.PROBE]
    controls = {_site(each): each for each in seen.last("control")}
    pages = list(seen.last("admin"))
    unclear: list[WebAnswer] = []
    for page in pages:
        if page.status in _REFUSED or (
            page.status is None and page.state == "open" and page.ended in {"closed", "reset"}
        ):
            continue
        if page.status == 401:
            return failed("login-offered", msg("{url} asks anybody for a name and password", url=shown_url(page)))
        if page.status is None or page.status != 200:
            unclear.append(page)
            continue
        reader = ReadPage(page.body)
        if reader.asks_password:
            return failed("login-offered", msg("{url} shows anybody a login page", url=shown_url(page)))
        if not _is_nothing(page, reader, controls.get(_site(page))):
            return failed("page-shown", msg("{url} is shown to anybody", url=shown_url(page)))
    own = [ReadPage(each.body) for each in seen.last("page") if each.status == 200]
    for page in seen.last("spelling"):
        if page.status is None or page.status >= 500 or page.status == 429:
            hung_up = page.status is None and page.state == "open" and page.ended in {"closed", "reset"}
            unclear += [] if hung_up else [page]
        elif page.status == 401:
            return failed("login-offered", msg("{url} asks anybody for a name and password", url=shown_url(page)))
        elif page.status == 200:
            reader = ReadPage(page.body)
            if reader.asks_password:
                return failed("login-offered", msg("{url} shows anybody a login page", url=shown_url(page)))
            if not _is_nothing(page, reader, controls.get(_site(page))) and not any(
                _is_alike(reader, one) for one in own
            ):
                return failed("page-shown", msg("{url} is shown to anybody", url=shown_url(page)))
    if unclear or not all(_site(each) in controls for each in pages) or (facts.declared.admin_paths and not pages):
        named = shown_url(unclear[0]) if unclear else "-"
        status = unclear[0].status if unclear and unclear[0].status else "-"
        return unknown(
            "cannot-tell",
            msg("it is not clear whether {url} is refused (it answered {status})", url=named, status=status),
        )
    if any(each.status is None for each in controls.values()):
        return unknown("no-control", msg("a path that does not exist gave no answer, so a refusal proves nothing"))
    return passed(msg("every administration path is refused to {station}", station=str(seen.station)))


def _site(answer: WebAnswer) -> tuple[str, int]:
    url = url_of(answer.asked)
    return url.name, url.port


def _is_nothing(page: WebAnswer, reader: ReadPage, control: WebAnswer | None) -> bool:
    """Say whether a page is what the portal answers to a path that nobody has."""
    if control is None or control.status != 200:
        return False
    other = ReadPage(control.body)
    if page.url == control.url or page.body == control.body:
        return True
    return _is_alike(reader, other)


def _is_alike(reader: ReadPage, other: ReadPage) -> bool:
    return (
        bool(other.text)
        and reader.title == other.title
        and min(reader.share_of(other), other.share_of(reader)) >= _ALIKE
    )
