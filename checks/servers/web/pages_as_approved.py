"""The portal's key pages say what they should, to people and to search engines, in each language.

Pages of authorities are taken over to advertise gambling, often shown to search engines alone so that nobody at the
authority sees it. Article 12.4.

The rule: each declared page, and the front page of each language, answers 200 to a browser, to a crawler and to a phone that
comes from a search engine; it has none of the phrases with which gambling is advertised or a defacement signed, nor of `forbidden_words`, in attributes that
are shown, in letters such as `h4ck3d` and between invisible signs neither; it takes nobody to a name of others without a click (`meta` refresh, a script's `location`) and has
no frame of theirs over the whole page (`position: fixed`); the crawler and the phone are shown at
least {least_percent} % of the browser's words; where an approved copy is declared, the page has `close_percent` of its
words; and where a page names its language, it is the one declared. A phone may be led to a name below the portal's own, such as `m.`,
which is not read. Names are of one owner where they share what
an owner registers, and so are all of gov.vn. It does not see what scripts write, what style sheets cover, words in pictures, and what is shown to others alone: to other crawlers, addresses, languages, or at other times.

Sources: HTML (the lang attribute). A page that was taken over, as a crawler gets it:

    <title>Nhà cái uy tín - Tài xỉu online</title>
"""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.outside.web import VISITORS, target_of_redirect, url_of
from checks.servers.outside.words import FORBIDDEN, ReadPage
from checks.servers.probes import outside_ports, outside_web
from checks.servers.probes.outside_web import WebAnswer
from checks.servers.web_verdicts import is_page, judge_no_pages, shown_url, unseen
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

_SAME = 0.5
_FOR_ALL = frozenset(
    ("com", "net", "org", "edu", "gov", "ac", "co", "info", "name", "pro", "biz", "health", "int", "io", "id")
)
"""Second labels below which strangers have names, as in `com.vn`."""
_WHO = {
    "browser": msg("everyone"),
    "crawler": msg("a crawler"),
    "searcher": msg("a phone that comes from a search engine"),
}


@check(
    id="web.defacement",
    clause="12.4",
    severity=Severity.CRITICAL,
    needs=(outside_web.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("key pages show the approved content, to people and to search engines"),
    remedy=msg("Take the host off the network, keep its disk, restore from an earlier backup set, and close the hole."),
    numbers={"least_percent": round(_SAME * 100)},
)
def judge(facts: Facts) -> CheckOutcome:
    if (done := judge_no_pages(facts)) is not None:
        return done
    seen = facts[outside_web.PROBE]
    answers = {agent: {each.asked: each for each in seen.last("page", agent)} for agent in VISITORS}
    pages = {
        (url, agent): ReadPage(each.body)
        for agent, found in answers.items()
        for url, each in found.items()
        if is_page(each)
    }
    forbidden = [
        *(each for each in FORBIDDEN if each not in facts.declared.allowed_words),
        *facts.declared.forbidden_words,
    ]
    for (url, agent), page in pages.items():
        if found := page.holds(forbidden):
            who = _WHO[agent]
            return failed(
                "forbidden-words", msg("{url} shows {who}: {words}", url=listed((url,)), who=who, words=listed(found))
            )
        if hosts := _elsewhere(answers[agent][url], page):
            who = _WHO[agent]
            return failed(
                "leads-elsewhere", msg("{url} takes {who} to {hosts}", url=listed((url,)), who=who, hosts=listed(hosts))
            )
    for url in answers["browser"]:
        people, crawler, searcher = (pages.get((url, agent)) for agent in VISITORS)
        if people and crawler and people.text and crawler.share_of(people) < _SAME:
            return failed("cloaked", msg("{url} shows search engines another page than people", url=listed((url,))))
        if people and searcher and people.text and searcher.share_of(people) < _SAME:
            said = msg("{url} shows another page to a phone that comes from a search engine", url=listed((url,)))
            return failed("cloaked", said)
        if people is not None and (wrong := _not_as_approved(facts, url, people, seen.approved)) is not None:
            return wrong
    for language, url in facts.declared.editions.items():
        answer, edition = answers["browser"].get(url), pages.get((url, "browser"))
        if answer is not None and answer.status in {404, 410}:
            return failed(
                "edition-gone",
                msg(
                    "the edition {language} at {url} answers {status}",
                    language=language,
                    url=listed((url,)),
                    status=answer.status or "-",
                ),
            )
        if edition is not None and edition.language and edition.language != language:
            return failed(
                "edition-language",
                msg(
                    "the edition {language} at {url} states that its language is {other}",
                    language=language,
                    url=listed((url,)),
                    other=listed((edition.language,)),
                ),
            )
    every = [each for found in answers.values() for each in found.values() if not _leads_below(each)]
    if (trouble := unseen(every)) is not None:
        return trouble
    odd = next((each for each in every if not is_page(each)), None)
    if odd is not None or not every:
        where = shown_url(odd) if odd else "-"
        return unknown(
            "page-not-seen", msg("{url} answered {status}", url=where, status=(odd.status if odd else None) or "-")
        )
    if unread := [url for url, body in seen.approved.items() if body is None]:
        return unknown("no-approved-copy", msg("the approved copy of {urls} cannot be read", urls=listed(unread)))
    if answers["searcher"]:
        return passed(
            nmsg(
                "the {n} page shows the approved content to a browser, a crawler and a phone from a search engine, seen from {station}",
                "the {n} pages show the approved content to a browser, a crawler and a phone from a search engine, seen from {station}",
                len(answers["browser"]),
                station=str(seen.station),
            )
        )
    return passed(
        nmsg(
            "the {n} page shows the approved content, seen from {station}",
            "the {n} pages show the approved content, seen from {station}",
            len(answers["browser"]),
            station=str(seen.station),
        )
    )


def _leads_below(answer: WebAnswer) -> bool:
    """Say whether a phone is led to a site for phones of the same portal."""
    if answer.agent != "searcher" or not answer.is_redirect:
        return False
    at = url_of(answer.url)
    target = target_of_redirect(at, answer.headers["location"])
    return target is not None and target.name.endswith(f".{at.name.removeprefix('www.')}")


def _elsewhere(answer: WebAnswer, page: ReadPage) -> list[str]:
    """Return the hosts of strangers to which a page takes its readers, or with whose pages it covers itself."""
    at = url_of(answer.url)
    targets = (target_of_redirect(at, each) for each in page.leads)
    return sorted({each.name for each in targets if each is not None and not names_are_akin(at.name, each.name)})


def names_are_akin(one: str, other: str) -> bool:
    """Say whether two names are of one owner, as far as they tell: so are all of gov.vn."""
    labels, others = one.removeprefix("www.").split(".")[::-1], other.removeprefix("www.").split(".")[::-1]
    shared = next(
        (i for i, (a, b) in enumerate(zip(labels, others, strict=False)) if a != b), min(len(labels), len(others))
    )
    return (
        shared >= min(len(labels), len(others))
        or shared > 2
        or (shared == 2 and (labels[1] not in _FOR_ALL or labels[:2] == ["vn", "gov"]))
    )


def _not_as_approved(
    facts: Facts, url: str, page: ReadPage, approved: Mapping[str, bytes | None]
) -> CheckOutcome | None:
    body = approved.get(url)
    if body is None:
        return None
    share = round(page.share_of(ReadPage(body)) * 100)
    if share >= facts.declared.close_percent:
        return None
    return failed(
        "not-as-approved",
        msg("{url} has {share} % of the words of its approved copy", url=listed((url,)), share=share),
    )
