"""Every administrator of the portal's own content system is in the register, and no account of it is of somebody who left.

An unrestricted account of the portal is enough to change what the province tells its citizens. Such accounts are in the
portal's own table, which no scan of a host shows. Article 12.5: every member keeps their access information safe and
answers for it.

The rule: in the newest recorded reading of each portal that an update source with a product reads, every enabled account
without restrictions has a credential in use in the register (`portal:ID`, the source's id); every other account that may do
more than read has one, or belongs to a declared member; none is of a member whose last day has come, none is open though
its credential was returned, and what is registered is there. Without a register, where a record cannot be read, where no
source reads a portal, where a portal could not be read in this scan, or where the newest reading is too old, the answer is
unknown: every portal has accounts. What is registered of a portal that no source shows is unknown too.

All portals are judged with the machine that portalops runs on, or with the first host by id if that machine is none of the
configuration; on other hosts this does not apply. The job that checks the servers reads the portals first; by hand run
'portalops credential poll'. 'portalops credential audit' lists each account.

Source: the records `credential.*` of the ledger (docs/credentials.md says which tables of which product are read). The
limit is `check_max_age_hours` of the rulebook, as for a scan. The section that portalops adds to the answer:

    {"credentials":[],"keeper":"host-1","left":[],"look_hours":48,"portals":[{"accounts":[{"is_admin":true,"is_open":true,
    "name":"an","roles":["administrator"]}],"at":"2026-11-25T01:00:00+00:00","id":"cong","problem":null,"product":"drupal",
    "record":7,"why":null}],"state":"seen","zone":"Asia/Ho_Chi_Minh"}
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, passed, unknown
from checks.servers.credentials._remarks import outcome_of
from checks.servers.facts import Facts
from checks.servers.portal_audit import PortalComparison, compare_portals
from checks.servers.probe import shown
from checks.servers.probes import own_portal_accounts
from portalops.model.message import msg
from portalops.model.verdicts import CheckVerdict, Severity


@check(
    id="cred.portal-accounts",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(own_portal_accounts.PROBE,),
    title=msg("every administrator of the portal is registered, and no account belongs to somebody who left"),
    remedy=msg(
        "List them with 'portalops credential audit'; block in the portal what nobody should have, and "
        "record who holds the rest ('portalops credential add')."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    seen = facts[own_portal_accounts.PROBE]
    if seen.zone is None or seen.keeper != facts.host.id:
        said = msg("the portal's accounts are judged with host {host}", host=shown(seen.keeper, 63))
        return CheckOutcome(CheckVerdict.NOT_APPLICABLE, "judged-elsewhere", said)
    known = PortalComparison(seen.register, facts.declared.members, facts.at.astimezone(seen.zone), seen.longest)
    good = passed(msg("every account of the portal is registered or a member's, and none belongs to somebody who left"))
    if not seen.portals:
        good = unknown("no-source-of-portal", msg("no update source can read the portal's accounts"))
    return outcome_of(compare_portals(seen.portals, known), good)
