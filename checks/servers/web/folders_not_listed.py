"""Folders do not list what is in them.

A list shows what was never meant to be found: old copies, exports, scans of papers. Article 12.4.

The rule: none of the declared `folders` answers with a list of files, and none of the folders below them that the
declared pages name. Lists are known in the form in which Apache, nginx (also as JSON or XML), lighttpd, Caddy, IIS,
Tomcat or Python make them. A page of another form that leads to {fewest_files} files or more below the folder, or another
answer that names so many, may be such a list: it is unknown. At most ten folders below are tried. It does not see a list that is
made in the browser or shown to others alone.

Sources: ngx_http_autoindex_module, Apache mod_autoindex. nginx 1.26 with `autoindex on`:

    <head><title>Index of /uploads/</title></head>
"""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin, urlsplit

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import outside_ports, outside_web
from checks.servers.probes.outside_web import WebAnswer
from checks.servers.web_verdicts import judge_no_pages, shown_url, unseen
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_LISTING = re.compile(
    rb"<title>\s{0,20}(?:Index of /|Directory listing for |Directory Listing For )|\[To Parent Directory\]"
    rb"|<h1>Index of /|<a href=\"\.\./?\">\s{0,20}(?:\.\./?|(?:\[To )?Parent Directory\]?)\s{0,20}</a>|\A\s*\[\s*\{\s*\"name\":\"[^\"]*\",\s*\"(?:type|size)\":|\A<\?xml[^>]*>\s*<list>\s*<(?:file|directory) ",
    re.IGNORECASE,
)
_CADDY = (
    re.compile(rb'<a href="\./[^"]{1,500}">\s{0,50}<svg'),
    re.compile(rb'<a href="\.\.">\s{0,50}<svg|class="meta-item"'),
)
"""A file, and the way up or the count of files, as Caddy shows them: a page of its own has one or the other."""


FEWEST_FILES = 3
_LINK = re.compile(r"<a\s[^<>]{0,500}?href\s{0,9}=\s{0,9}[\"']?([^\"'<>\s]{1,500})", re.IGNORECASE)
_FILE = re.compile(r"/[^/]*\.(?!(?:x?html?|php|aspx?|jspx?|do)$)[A-Za-z0-9]{1,5}$", re.IGNORECASE)
_NAME = re.compile(r"[\w()%-]{1,100}\.[A-Za-z][A-Za-z0-9]{1,4}\b")


@check(
    id="web.dir-listing",
    clause="12.4",
    severity=Severity.MEDIUM,
    needs=(outside_web.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("folders do not list their contents"),
    numbers={"fewest_files": FEWEST_FILES},
    remedy=msg("Turn listings off, such as 'autoindex off;' in nginx or 'Options -Indexes' in Apache."),
)
def judge(facts: Facts) -> CheckOutcome:
    if (done := judge_no_pages(facts)) is not None:
        return done
    if facts.declared.folders is None:
        return unknown("not-declared", msg("the folders of files are not declared"))
    seen = facts[outside_web.PROBE]
    folders = list(seen.last("folder"))
    for answer in folders:
        if answer.status is not None and _lists(answer.body):
            return failed("listed", msg("{url} lists its files", url=shown_url(answer)))
    for answer in folders:
        if answer.status == 200 and (n := len(_files_named(answer))) >= FEWEST_FILES:
            said = msg("{url} names {n} files below it, and may be a list of them", url=shown_url(answer), n=n)
            return unknown("may-be-list", said)
    if (trouble := unseen(folders)) is not None:
        return trouble
    if facts.declared.folders and not folders:
        return unknown("page-not-seen", msg("no page was seen"))
    return passed(
        msg(
            "no folder is listed to {station}; tried: {folders}",
            station=str(seen.station),
            folders=listed(each.asked for each in folders) or "-",
        )
    )


def _files_named(answer: WebAnswer) -> frozenset[str]:
    """Return the files below the folder that its page leads to; of what is no page, the names in it."""
    text = answer.body.decode("utf-8", "replace")
    if "html" not in answer.headers.get("content-type", "html"):
        return frozenset(_NAME.findall(text))
    folder = urlsplit(answer.url).path.rpartition("/")[0] + "/"
    paths = (urlsplit(urljoin(answer.url, html.unescape(to))).path for to in _LINK.findall(text) if "[" not in to)
    return frozenset(each for each in paths if each.startswith(folder) and _FILE.search(each))


def _lists(body: bytes) -> bool:
    return bool(_LISTING.search(body)) or all(each.search(body) for each in _CADDY)
