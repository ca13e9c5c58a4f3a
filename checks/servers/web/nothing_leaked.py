"""Nothing is served that tells passwords or the portal's own programs.

What is left lying in the web server's folder is fetched within the hour: whole data bases, keys, the history of the
source. Article 12.4.

The rule: of some twenty paths at which such things lie, none answers with one. It is recognised by the answer, such as
`ref: refs/heads/` for git, not by its status: many portals answer 200 to everything. What the file says is neither kept nor
shown.

Sources: gitrepository-layout(5), Apache mod_status, ngx_http_stub_status_module, mysqldump(1). A leak looks like this:

    GET /.git/HEAD -> 200 ref: refs/heads/main
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import outside_ports, outside_web
from checks.servers.web_verdicts import judge_no_pages, shown_url
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="web.leaks",
    clause="12.4",
    severity=Severity.CRITICAL,
    needs=(outside_web.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("no file that reveals secrets is served"),
    remedy=msg("Remove the file from the web server's folder, and change every password and key that was in it."),
)
def judge(facts: Facts) -> CheckOutcome:
    if (done := judge_no_pages(facts)) is not None:
        return done
    seen = facts[outside_web.PROBE]
    tried = list(seen.last("leak"))
    leaks = [each for each in tried if each.status in {200, 203, 206} and each.kinds]
    if leaks:
        named = (f"{each.url} ({', '.join(each.kinds)})" for each in leaks)
        return failed("leaked", msg("served to {station}: {files}", station=str(seen.station), files=listed(named)))
    for each in tried:
        hung_up = each.status is None and each.state == "open" and each.ended in {"closed", "reset"}
        if (each.status is None and not hung_up) or each.status == 429 or (each.status or 0) >= 500:
            return unknown(
                "cannot-tell",
                msg(
                    "it is not clear whether {url} is refused (it answered {status})",
                    url=shown_url(each),
                    status=each.status or "-",
                ),
            )
    if not any(each.status is not None for each in tried):
        return unknown("page-not-seen", msg("no page was seen"))
    return passed(
        nmsg(
            "{n} path tried from {station} reveals nothing",
            "{n} paths tried from {station} reveal nothing",
            len(tried),
            station=str(seen.station),
        )
    )
