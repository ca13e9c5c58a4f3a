"""No finding is open past the day by which it must be fixed.

To find a weakness and leave it is worse than not to look: now somebody knew. Article 12.4: security weaknesses are found and
remedied.

The rule: a finding opens when a check fails on a host, and closes when the same check passes there. It is due so many days after
it opened, by its severity (`finding_critical_days` and the others of the rulebook), or on an earlier day that
the check names. One that is past its day is unmet, unless a waiver is in force. Where the newest scan is too old, a host was not
reached in it, or a check never answered in the period, nothing shows that there is no other finding: insufficient evidence.

It is judged as the duty 12.4-remedy, by the rule `findings`. Source: the findings that the records `check.finished` carry, the
records `finding.closed` and `waiver.*` (docs/findings.md, docs/ledger-format.md). `portalops check findings --overdue` lists them:

    {"check":"ssh.root-login","host":"web1","severity":"high","state":"due", ...}
"""

from __future__ import annotations

from portalops.compliance.ledger_checks import RecordCheck
from portalops.model.message import msg
from portalops.model.verdicts import Severity

CHECK = RecordCheck(
    "vuln.overdue",
    "12.4",
    Severity.HIGH,
    msg("no finding is open after its due day"),
    msg(
        "Fix what 'portalops check findings --overdue' lists, or ask a person in charge for a waiver: 'portalops "
        "check waive'."
    ),
    (__doc__ or "").strip(),
)
