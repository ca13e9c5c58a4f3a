"""The host's pages were reachable as often as required.

That the servers run is what visitors find, not what a process list says. Article 12.3.

The rule: in the last {last_days} days each declared page answered with a page or a redirect in at least
`availability_percent` ({default_percent}) of the sampled time, and it was sampled in at least {looked_percent} % of the
time. The time is cut into spans of `sample_minutes`; one sample that finds the page away counts for its whole span. More
time away than the {last_days} days allow fails, however much was not sampled. The samples are made by `portalops check
sample`, run by a timer.

Source: the samples in the ledger (docs/ledger-format.md). A day on which the portal was away for an hour:

    https://portal.example.vn/ 276 up, 12 down of 288
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.declared import default_number
from checks.servers.facts import Facts
from checks.servers.probes import outside_ports, own_availability
from checks.servers.probes.own_availability import DAYS
from checks.servers.web_verdicts import judge_no_pages
from checks.servers.wording import listed
from portalops.model.availability import COVERED_PERCENT, SpanCounts
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="run.availability",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(own_availability.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("the pages were reachable as often as required"),
    remedy=msg(
        "Find out the cause of each outage and record it; where samples are missing, repair the timer of "
        "'portalops check sample'."
    ),
    numbers={
        "last_days": DAYS,
        "default_percent": default_number("availability_percent"),
        "looked_percent": COVERED_PERCENT,
    },
)
def judge(facts: Facts) -> CheckOutcome:
    if (done := judge_no_pages(facts)) is not None:
        return done
    target = facts.declared.availability_percent
    found = facts[own_availability.PROBE]
    wanted = (*(facts.declared.pages or ()), *facts.declared.editions.values())
    unclear = []
    for url in dict.fromkeys(wanted):
        page = found.get(url)
        if page is None:
            unclear.append((url, 0))
            continue
        reaches = SpanCounts(page.spans, page.up, page.down).reaches(target)
        if reaches is False:
            return failed(
                "below-target",
                msg(
                    "{url} was reachable in {up} of {observed} sampled spans, below {target} %",
                    url=listed((url,)),
                    up=page.up,
                    observed=page.observed,
                    target=f"{target:g}",
                ),
            )
        if reaches is None:
            unclear.append((url, 100 * page.observed // page.spans))
    if unclear:
        url, covered = unclear[0]
        return unknown(
            "too-few-samples",
            msg(
                "{url} was sampled in only {percent} % of the last {last_days} days",
                url=listed((url,)),
                percent=covered,
                last_days=DAYS,
            ),
        )
    lowest = min(100 * found[url].up / found[url].observed for url in wanted)
    return passed(
        msg(
            "each page was reachable in at least {percent} % of the sampled time",
            percent=f"{int(lowest * 100) / 100:g}",
        )
    )
