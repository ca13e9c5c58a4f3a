"""Each server sends the whole chain to an authority that is trusted.

Browsers often fill in a missing link by themselves; programs, telephones and other authorities' systems do not, and their
users are advised to switch the check off. Article 12.4.

The rule: from what the server sent for each declared name, and nothing beside it, the chain leads to an authority of
the declared `ca_file`, or of the station's own list where none is declared, and begins with a certificate for that
name. Dates of the server's own certificate are the matter of tls.expiry. Which list it was, by its digest, stands in
the evidence.

Sources: RFC 5246 (7.4.2), RFC 5280 (6). As `openssl s_client` says it of a server that forgot a link:

    verify error:num=20:unable to get local issuer certificate
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import outside_ports, outside_tls
from checks.servers.tls._certificates import certificate_of, is_for, is_trusted
from checks.servers.web_verdicts import judge_no_pages
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="tls.chain",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(outside_tls.PROBE,),
    uses=(outside_ports.PROBE,),
    title=msg("servers send the whole chain to a trusted authority"),
    remedy=msg("Install the certificate with those of the authorities between it and the root, in order."),
)
def judge(facts: Facts) -> CheckOutcome:
    if (done := judge_no_pages(facts)) is not None:
        return done
    seen = facts[outside_tls.PROBE]
    if seen.trust_problem:
        return unknown(
            "no-trust-list",
            msg("the list of trusted authorities {file} cannot be read", file=shown(seen.trust, 100)),
        )
    anchors = [each for each in map(certificate_of, seen.anchors) if each is not None]
    unclear = [one.address_text for one in seen.servers if not one.chain]
    for one in seen.servers:
        if not one.chain:
            continue
        chain = [each for each in map(certificate_of, one.chain) if each is not None]
        where = listed((one.address_text,))
        if len(chain) != len(one.chain):
            return failed("no-certificate", msg("{server} sends a certificate that cannot be read", server=where))
        own = chain[0]
        if not is_for(own, one.name):
            return failed("wrong-name", msg("the certificate of {server} is for another name", server=where))
        at = min(max(facts.at, own.not_valid_before_utc), own.not_valid_after_utc)
        if is_trusted(one.name, chain, anchors, at):
            continue
        if own.issuer == own.subject:
            return failed("self-signed", msg("{server} signed its certificate itself", server=where))
        issuer = shown(chain[-1].issuer.rfc4514_string(), 100)
        return failed(
            "chain-not-trusted",
            msg("the chain that {server} sends ends at {issuer}, which is not trusted", server=where, issuer=issuer),
        )
    if unclear or not seen.servers:
        return unknown(
            "no-handshake", msg("no certificate was received from {servers}", servers=listed(unclear) or "-")
        )
    return passed(msg("every chain is complete, seen from {station}", station=str(seen.station)))
