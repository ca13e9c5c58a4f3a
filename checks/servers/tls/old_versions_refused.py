"""TLS 1.0 and 1.1 are refused, and 1.2 or 1.3 is taken.

The old versions rest on MD5 and SHA-1, and an attacker in between can force both sides down to them. Article 12.4.

The rule: each declared name is offered each version alone. 1.0 and 1.1 must be refused: by an alert, or by hanging up
where a newer version is taken at the same address. 1.2 or 1.3 must be taken. An answer that tells neither is unknown. SSL
3.0 is not offered: a server that takes it takes TLS 1.0 too. At a dozen other ports of TLS, such as 8443 and 993, 1.0 and 1.1
must not be taken either.

Sources: RFC 8996, RFC 5246 (7.4.1.3), RFC 8446 (4.1.3). nginx 1.26 that is set to TLS 1.2 and 1.3 answers to 1.1 by alert 70:

    15 03 02 00 02 02 46
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.outside.hello import Reply
from checks.servers.probes import outside_ports, outside_tls
from checks.servers.web_verdicts import judge_no_pages
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_OLD, _NEW = ("1.0", "1.1"), ("1.2", "1.3")


@check(
    id="tls.protocols",
    clause="12.4",
    severity=Severity.MEDIUM,
    needs=(outside_tls.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("TLS 1.0 and 1.1 are refused, 1.2 or 1.3 is accepted"),
    remedy=msg("Set the server to TLS 1.2 and 1.3 only, such as 'ssl_protocols TLSv1.2 TLSv1.3;' in nginx."),
)
def judge(facts: Facts) -> CheckOutcome:
    if (done := judge_no_pages(facts)) is not None:
        return done
    seen = facts[outside_tls.PROBE]
    unclear: list[str] = []
    outdated: list[str] = []
    for one in (*seen.servers, *seen.beside):
        old = [version for version in _OLD if one.offers.get(version) is Reply.TAKEN]
        if old:
            return failed(
                "old-version-taken",
                msg("{server} accepts TLS {versions}", server=listed((one.address_text,)), versions=listed(old)),
            )
        if one in seen.beside:
            continue
        takes_new = any(one.offers.get(version) is Reply.TAKEN for version in _NEW)
        refusals = {Reply.REFUSED, Reply.HUNG_UP} if takes_new else {Reply.REFUSED}
        if not all(one.offers.get(version) in refusals for version in _OLD):
            unclear.append(one.address_text)
        elif not takes_new:
            all_refused = all(one.offers.get(version) is Reply.REFUSED for version in _NEW)
            (outdated if all_refused else unclear).append(one.address_text)
    if outdated:
        return failed("no-new-version", msg("{server} accepts neither TLS 1.2 nor 1.3", server=listed(outdated)))
    if unclear or not seen.servers:
        return unknown(
            "cannot-tell", msg("it is not clear which TLS versions {servers} accepts", servers=listed(unclear) or "-")
        )
    return passed(
        msg(
            "the old versions are refused at {servers}, seen from {station}",
            servers=listed(one.address_text for one in (*seen.servers, *seen.beside)),
            station=str(seen.station),
        )
    )
