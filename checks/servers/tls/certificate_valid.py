"""The certificate of each name is for that name and is valid for {least_days} days more, at least.

On the day it runs out visitors are taught to click warnings away, which is what an attacker needs. Article 12.4.

The rule: the certificate that the server sends for each declared name, at every public address, names it among its
alternative names, is valid now, and for at least {least_days} days more. Whether anybody trustworthy issued it is tls.chain.

Sources: RFC 5280 (4.1.2.5, 4.2.1.6), RFC 9525. As `openssl x509 -noout -enddate -ext subjectAltName` shows it:

    notAfter=Dec  1 02:00:00 2026 GMT
    X509v3 Subject Alternative Name:
        DNS:portal.example.vn
"""

from __future__ import annotations

from datetime import timedelta

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import outside_ports, outside_tls
from checks.servers.tls._certificates import certificate_of, is_for
from checks.servers.web_verdicts import judge_no_pages
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

LEAST = timedelta(days=21)


@check(
    id="tls.expiry",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(outside_tls.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("each certificate is for its name and valid for at least {least_days} days more"),
    remedy=msg("Renew the certificate for all of its names, and find out why it was not renewed automatically."),
    numbers={"least_days": LEAST.days},
)
def judge(facts: Facts) -> CheckOutcome:
    if (done := judge_no_pages(facts)) is not None:
        return done
    seen = facts[outside_tls.PROBE]
    ends = []
    unclear = [one.address_text for one in seen.servers if not one.chain]
    for one in seen.servers:
        if not one.chain:
            continue
        certificate = certificate_of(one.chain[0])
        where = listed((one.address_text,))
        if certificate is None:
            return failed("no-certificate", msg("{server} sends a certificate that cannot be read", server=where))
        if not is_for(certificate, one.name):
            return failed("wrong-name", msg("the certificate of {server} is for another name", server=where))
        end = certificate.not_valid_after_utc
        if end <= facts.at:
            return failed("expired", msg("the certificate of {server} expired on {day}", server=where, day=end.date()))
        if certificate.not_valid_before_utc > facts.at:
            return failed(
                "not-yet-valid",
                msg(
                    "the certificate of {server} is not valid before {day}",
                    server=where,
                    day=certificate.not_valid_before_utc.date(),
                ),
            )
        if end - facts.at < LEAST:
            return failed(
                "expires-soon",
                nmsg(
                    "the certificate of {server} expires on {day}, in {n} day",
                    "the certificate of {server} expires on {day}, in {n} days",
                    (end - facts.at).days,
                    server=where,
                    day=end.date(),
                ),
            )
        ends.append(end)
    if unclear or not ends:
        return unknown(
            "no-handshake", msg("no certificate was received from {servers}", servers=listed(unclear) or "-")
        )
    return passed(
        msg(
            "the earliest expiry of a certificate is {day}, seen from {station}",
            day=min(ends).date(),
            station=str(seen.station),
        )
    )
