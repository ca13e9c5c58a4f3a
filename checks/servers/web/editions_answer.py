"""The portal's Vietnamese and English editions answer, each in its own language.

An edition that is only linked, or shows the text of the other one, does not exist for those who need it. Article 3.1 asks
for both languages.

The rule: the declared front pages of the editions `vi` and `en` answer 200 to a browser; each names its language in the
attribute `lang` of the element `html`; and the words of each are of that language: a quarter of them have a letter that
only Vietnamese has, or hardly any has one and common English words stand among them. Too few words to tell leave it
unknown. The last change of an edition is shown where its server states it. It is judged for the host that the editions are
declared for; a host that serves no page, or of which `editions_elsewhere` is declared, need not have them.

Sources: HTML (the lang attribute), RFC 9110 (8.8.2, Last-Modified). nginx 1.26:

    HTTP/1.1 200 OK
    Last-Modified: Thu, 26 Nov 2026 05:20:13 GMT

    <!DOCTYPE html><html lang="en"><head><title>Portal of the province</title></head>
"""

from __future__ import annotations

from datetime import UTC, date
from email.utils import parsedate_to_datetime

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.outside.words import ReadPage, language_of
from checks.servers.probes import outside_ports, outside_web
from checks.servers.probes.outside_web import WebAnswer
from checks.servers.web_verdicts import is_page, judge_no_pages, shown_url, unseen
from checks.servers.wording import listed
from portalops.model.message import Message, msg
from portalops.model.verdicts import CheckVerdict, Severity

LANGUAGES = ("vi", "en")
"""Article 3.1: the portal is in Vietnamese and English."""


@check(
    id="web.editions",
    clause="3.1",
    severity=Severity.MEDIUM,
    needs=(outside_web.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("the Vietnamese and the English edition answer, each in its language"),
    remedy=msg("Publish the front page of each edition in its language, and name that in <html lang=...>."),
)
def judge(facts: Facts) -> CheckOutcome:
    declared = facts.declared.editions
    if not declared and facts.declared.editions_elsewhere:
        said = msg("the portal's editions are declared to be served by another host")
        return CheckOutcome(CheckVerdict.NOT_APPLICABLE, "declared-elsewhere", said)
    if (none := judge_no_pages(facts)) is not None:
        is_proven = none.verdict is CheckVerdict.PASS
        return CheckOutcome(CheckVerdict.NOT_APPLICABLE, "no-pages", none.message) if is_proven else none
    if not declared:
        return unknown("not-declared", msg("the front page of no language is declared"))
    if missing := [language for language in LANGUAGES if language not in declared]:
        return failed(
            "edition-missing", msg("no edition is declared in the language {languages}", languages=listed(missing))
        )
    seen = facts[outside_web.PROBE]
    answers = {each.asked: each for each in seen.last("page")}
    told: list[Message] = []
    for language in LANGUAGES:
        answer = answers.get(declared[language])
        if answer is None:
            return unknown("page-not-seen", msg("the edition {language} was not requested", language=language))
        if (wrong := _wrong(language, answer)) is not None:
            return wrong
        told.append(_describe(language, answer))
    vietnamese, english = told
    return passed(
        msg(
            "{vietnamese}; {english}; seen from {station}",
            vietnamese=vietnamese,
            english=english,
            station=str(seen.station),
        )
    )


def _wrong(language: str, answer: WebAnswer) -> CheckOutcome | None:
    """Return what is wrong with an edition, or why that cannot be told; None if it is as it should be."""
    url = shown_url(answer)
    if answer.status in {404, 410}:
        return failed(
            "edition-gone",
            msg(
                "the edition {language} at {url} answers {status}",
                language=language,
                url=url,
                status=answer.status or "-",
            ),
        )
    if (trouble := unseen((answer,))) is not None:
        return trouble
    if not is_page(answer):
        return unknown("page-not-seen", msg("{url} answered {status}", url=url, status=answer.status or "-"))
    page = ReadPage(answer.body)
    if not page.language:
        said = msg("the edition {language} at {url} does not state its language", language=language, url=url)
        return failed("edition-unmarked", said)
    if page.language != language:
        return failed(
            "edition-language",
            msg(
                "the edition {language} at {url} states that its language is {other}",
                language=language,
                url=url,
                other=listed((page.language,)),
            ),
        )
    text = language_of(page.text)
    if not text:
        said = msg("the language of the text of {url} is not clear", url=url)
        return unknown("text-unclear", said)
    if text != language:
        return failed(
            "edition-text",
            msg("the text of the edition {language} at {url} is in {other}", language=language, url=url, other=text),
        )
    return None


def _describe(language: str, answer: WebAnswer) -> Message:
    url = shown_url(answer)
    changed = _changed_on(answer)
    if changed is None:
        return msg("{language}: {url}, no date of change", language=language, url=url)
    return msg("{language}: {url}, changed on {day}", language=language, url=url, day=changed)


def _changed_on(answer: WebAnswer) -> date | None:
    try:
        at = parsedate_to_datetime(answer.headers.get("last-modified", ""))
        return at.astimezone(UTC).date() if at.tzinfo else None
    except (ValueError, OverflowError):
        return None
