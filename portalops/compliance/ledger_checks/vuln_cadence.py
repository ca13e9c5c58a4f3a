"""Every host is checked as often as it should be, by every check.

Weaknesses are found only where somebody looks, and everywhere only if nothing is left out. Article 12.4: security weaknesses
are regularly tested for.

The rule: for each day of the period a scan that reached every host began on that day, or within the
`check_every_days` days that end with it; and every check that a duty rests on gave a judgement on every host at least
once in the period: a pass, a fail, or that it does not apply. What could not be found out is no judgement. A day without a
scan is unmet; a host that was not reached, or a check that never answered, is insufficient evidence.

It is judged as the duty 12.4-testing, by the rule `check-cadence`. Source: the records `check.started` and `check.finished` of
the ledger, and the findings and results that they hold (docs/ledger-format.md):

    {"at":"2026-11-24T19:00:12.031Z","kind":"check.finished","run":"12.4-testing:daily-check:2026-11-25", ...}
"""

from __future__ import annotations

from portalops.compliance.ledger_checks import RecordCheck
from portalops.model.message import msg
from portalops.model.verdicts import Severity

CHECK = RecordCheck(
    "vuln.cadence",
    "12.4",
    Severity.HIGH,
    msg("every check runs on every host as often as required"),
    msg("Run 'portalops check run', check that its job runs each day, and fix what keeps checks unknown."),
    (__doc__ or "").strip(),
)
