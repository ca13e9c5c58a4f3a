"""The report of Lynis, `/var/log/lynis-report.dat`: lines `key=value`, a list's keys ending in `[]`.

    warning[]=NETW-2705|Couldn't find 2 responsive nameservers|-|-|
    suggestion[]=SSH-7408|Consider hardening SSH configuration|AllowTcpForwarding (set YES to NO)|-|

A warning is taken for medium and a suggestion for low, since Lynis names no severity. The same test may suggest several things,
so a claim is found again by test, text and details, whatever numbers stand in them ("Check 79 files in /tmp"). When the report was made stands in it without a zone, so it is a note.
A report whose end (`finish=true`) is missing is refused. What a test said before is claimed to be fixed only where the report
names the test in `tests_executed`, and the test does not say it any more: a test that was skipped, or was not among those that
were asked for, has found nothing out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from checks.imports import Form
from checks.imports._reading import NotAReport, ToolClaims, claimed, claims_of
from portalops.model.claims import ClaimedFinding
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_NUMBER = re.compile(r"\d+")
_SEVERITIES = {"warning[]": Severity.MEDIUM, "suggestion[]": Severity.LOW}


def parse(data: bytes) -> tuple[ToolClaims, ...]:
    """Return what Lynis claims.

    Raises:
        NotAReport: it is no report of Lynis, or one that was not brought to its end.
    """
    found: dict[str, list[str]] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.startswith("#"):
            found.setdefault(key.strip(), []).append(value)
    version = _one(found, "lynis_version")
    if not version or not _one(found, "report_version_major"):
        raise NotAReport(msg("it names no version of Lynis"))
    if _one(found, "finish") != "true":
        raise NotAReport(msg("it has no end, so Lynis was interrupted"))
    notes = [f"the host's clock said {_one(found, 'report_datetime_end')} at the end, in a zone that is not told"]
    if hostname := _one(found, "hostname"):
        notes.append(f"the tool calls the host {hostname}")
    executed = {test.strip() for test in _one(found, "tests_executed").split("|")} - {""}
    if not executed:
        notes.append("it does not name the tests that were executed, so nothing that it lacks counts as fixed")
    return (claims_of("Lynis", version, None, _claims(found), notes, answered=executed),)


def _claims(found: Mapping[str, Sequence[str]]) -> Iterator[ClaimedFinding]:
    for key, severity in _SEVERITIES.items():
        for value in found.get(key, ()):
            test, text, details, solution = (*value.split("|"), "", "", "", "")[:4]
            details, solution = ("" if part.strip() == "-" else part for part in (details, solution))
            message = "; ".join(part for part in (text, details, solution.removeprefix("text:")) if part)
            yield claimed(test or "?", severity, message, key=_NUMBER.sub("#", f"{text} {details}"))


def _one(found: Mapping[str, Sequence[str]], key: str) -> str:
    return found.get(key, ("",))[-1].strip()


FORM = Form(parse=parse)
