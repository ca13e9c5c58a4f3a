"""Results of OpenSCAP: XCCDF 1.1 and 1.2, also within an asset report (ARF), as `oscap xccdf eval` writes them.

    oscap xccdf eval --profile PROFILE --results results.xml --results-arf arf.xml BENCHMARK

A rule whose result is `fail` is a claim, of the rule's own severity; `unknown`, which the standard gives a rule without one, is
taken for medium. Only where each of its results is `pass` or `fixed` is what was claimed of a rule before claimed to be fixed:
`error`, `unknown` and `notchecked` are neither claims nor passes, and notes count them; nor is a rule that was not selected, or
does not apply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from checks.imports import Form
from checks.imports._reading import NotAReport, ToolClaims, claimed, claims_of
from portalops.model.claims import ClaimedFinding
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.model.verdicts import Severity

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_SEVERITIES = {"critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW}
_SEVERITIES["info"] = Severity.LOW
_NOT_FOUND_OUT = ("error", "unknown", "notchecked")
_PASSED = {"pass", "fixed"}


def parse(data: bytes) -> tuple[ToolClaims, ...]:
    """Return what the evaluation claims.

    Raises:
        NotAReport: it is no XML, has a document type or entities, or no result of a test.
    """
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise NotAReport(msg("it has a document type or entities, which a report does not need")) from error
    except (ParseError, ValueError, LookupError) as error:
        raise NotAReport(msg("it is not XML: {cause}", cause=show_text(str(error), 120))) from error
    tests = [element for element in root.iter() if _name(element) == "TestResult"]
    if not tests:
        raise NotAReport(msg("it holds no test results"))
    titles = {element.get("id", ""): _child(element, "title") for element in root.iter() if _name(element) == "Rule"}
    results: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    claims = [claim for test in tests for claim in _claims(test, titles, counts, results)]
    notes = [f"{counts[result]} rules have the result {result}" for result in _NOT_FOUND_OUT if counts[result]]
    target = _child(tests[-1], "target")
    if target:
        notes.append(f"the tool calls the host {target}")
    ended = [moment for test in tests if (moment := _moment(test.get("end-time", ""))) is not None]
    passed = [rule for rule, found in results.items() if found <= _PASSED]
    return (claims_of("OpenSCAP", _version(tests[-1]), max(ended, default=None), claims, notes, answered=passed),)


def _claims(
    test: Element, titles: dict[str, str], counts: Counter[str], results: dict[str, set[str]]
) -> Iterator[ClaimedFinding]:
    for element in test.iter():
        if _name(element) != "rule-result":
            continue
        rule, result = element.get("idref", "?"), _child(element, "result").strip().lower()
        counts[result] += 1
        results.setdefault(rule, set()).add(result)
        if result == "fail":
            severity = _SEVERITIES.get(element.get("severity", ""), Severity.MEDIUM)
            yield claimed(rule, severity, titles.get(rule) or _child(element, "message") or rule)


def _version(test: Element) -> str:
    """Return the version out of `cpe:/a:redhat:openscap:1.4.2`."""
    parts = test.get("test-system", "").removeprefix("cpe:/").split(":")
    return parts[3] if len(parts) > 3 else ""


def _moment(text: str) -> datetime | None:
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else None
    return None


def _child(element: Element, name: str) -> str:
    """Return the text of the first child of a name, its inner elements' too."""
    found = next((child for child in element if _name(child) == name), None)
    return "" if found is None else "".join(found.itertext())


def _name(element: Element) -> str:
    """Return an element's name without its namespace: that of XCCDF differs by version."""
    return str(element.tag).rpartition("}")[2]


FORM = Form(parse=parse)
