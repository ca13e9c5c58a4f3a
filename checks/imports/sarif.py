"""SARIF 2.1.0, the form in which many scanners of code and of images report (OASIS, 27 March 2020).

One `run` is one tool's. A result counts as a claim if its `kind` is `fail`, which it is by default (3.27.9), and if it is not
suppressed (3.27.23): those are counted in a note. The severity is `properties.security-severity` of the result's rule where
there is one (a number like CVSS's, as GitHub reads it), else the level: `error` is high, `warning` medium, `note` and
`none` low. The level of a result is its own, else that of its rule's `defaultConfiguration`, else `warning` (3.27.10).

A run without results (3.14.23), or whose tool says that it did not succeed (3.20.14), is refused.

A result that is only absent from a newer run is not shown to be fixed, since a run names neither what it looked at nor which
rules it applied. It is claimed to be fixed where the tool says so: by a result that is the same one with the `kind` `pass`, or with
the `baselineState` `absent` (3.27.24), or by a `pass` of its rule without a place, if the run holds nothing else of that rule. A result that is
suppressed is there still, and `open` and `review` are no answers (3.27.9). A `pass` with a level other than `none` contradicts itself
(3.27.10), and counts for nothing.

A result is found again by its fingerprints where the tool gives any (3.27.16, 3.27.17), else by rule, file and line.

    ruff check --select S --output-format sarif hook.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from checks.imports import Form
from checks.imports._reading import NotAReport, ToolClaims, claimed, claims_of
from portalops.json_text import read_json
from portalops.model.claims import ClaimedFinding
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.model.verdicts import Severity

MAX_RUNS = 50
_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.LOW}
_UNNAMED = "?"
"""Stands for any rule that a result does not name, so a pass of it answers for none."""
_NO_CLAIMS = ("suppressed", "no result", "of another kind than fail", "absent by the tool's own word")
_NO_FAILS = ("pass", "open", "informational", "notApplicable", "review")
_BY_SCORE = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM))


def parse(data: bytes) -> tuple[ToolClaims, ...]:
    """Return what each run's tool claims.

    Raises:
        NotAReport: it is no SARIF log of version 2.1, or one of a run that did not come to its end.
    """
    try:
        log = read_json(data.decode("utf-8-sig"))
    except ValueError as error:
        raise NotAReport(msg("it is not JSON in UTF-8: {cause}", cause=show_text(str(error), 120))) from error
    runs = _list(log, "runs") if isinstance(log, dict) else []
    version = log.get("version") if isinstance(log, dict) else None
    if not isinstance(version, str) or not version.startswith("2.1") or not runs:
        raise NotAReport(msg("it has no runs of version 2.1: {version}", version=show_text(repr(version), 40)))
    if len(runs) > MAX_RUNS:
        raise NotAReport(msg("it has more than {n} runs", n=MAX_RUNS))
    return tuple(_run(run) for run in runs if isinstance(run, dict))


def _run(run: Mapping[str, Any]) -> ToolClaims:
    driver = _dict(_dict(run, "tool"), "driver")
    if not isinstance(driver.get("name"), str):
        raise NotAReport(msg("a run does not name its tool"))
    if not isinstance(run.get("results"), list) or not all(map(_succeeded, _list(run, "invocations"))):
        raise NotAReport(msg("a run was not finished, or has no results"))
    listed = [rule for rule in _list(driver, "rules") if isinstance(rule, dict)]
    rules = {str(rule.get("id")): rule for rule in listed}
    seen = _Seen()
    claims = list(_claims(run, rules, listed, seen))
    notes = [f"{seen.counts[what]} results are {what}" for what in _NO_CLAIMS if seen.counts[what]]
    return claims_of(
        driver["name"],
        _text(driver, "version"),
        _ended(run),
        claims,
        notes,
        answered=seen.passed - seen.otherwise - {_UNNAMED},
        fixed=seen.fixed - seen.there,
    )


@dataclass(slots=True)
class _Seen:
    """What a run holds besides claims."""

    counts: Counter[str] = field(default_factory=Counter)
    passed: set[str] = field(default_factory=set)
    """Rules that pass without a place."""
    otherwise: set[str] = field(default_factory=set)
    """Rules of which there is a result that is no pass."""
    fixed: set[str] = field(default_factory=set)
    """Keys of what passes at its place, or is there no more."""
    there: set[str] = field(default_factory=set)
    """Keys of which there is a result that is neither, also if it is no claim: suppressed, or open."""


def _succeeded(invocation: object) -> bool:
    return not isinstance(invocation, dict) or invocation.get("executionSuccessful") is not False


def _claims(
    run: Mapping[str, Any],
    rules: Mapping[str, Mapping[str, Any]],
    listed: list[dict[str, Any]],
    seen: _Seen,
) -> Iterator[ClaimedFinding]:
    for result in _list(run, "results"):
        if not isinstance(result, dict):
            seen.counts["no result"] += 1
            continue
        rule = _rule_of(result, rules, listed)
        rule_id = _text(result, "ruleId") or _text(rule, "id") or _UNNAMED
        place = _place(result)
        claim = claimed(rule_id, _severity(result, rule), _message(result, rule), place=place, key=_fingerprint(result))
        kind = result.get("kind")
        if result.get("baselineState") == "absent":
            seen.counts["absent by the tool's own word"] += 1
            seen.fixed.add(claim.key)
        elif kind == "pass" and result.get("level", "none") == "none":
            seen.counts["of another kind than fail"] += 1
            if place or _fingerprint(result):
                seen.fixed.add(claim.key)
            else:
                seen.passed.add(rule_id)
        else:
            seen.otherwise.add(rule_id)
            seen.there.add(claim.key)
            if kind in _NO_FAILS:
                seen.counts["of another kind than fail"] += 1
            elif any(map(_is_accepted, _list(result, "suppressions"))):
                seen.counts["suppressed"] += 1
            else:
                yield claim


def _is_accepted(suppression: object) -> bool:
    return isinstance(suppression, dict) and suppression.get("status", "accepted") == "accepted"


def _rule_of(
    result: Mapping[str, Any], rules: Mapping[str, Mapping[str, Any]], listed: list[dict[str, Any]]
) -> Mapping[str, Any]:
    index = result.get("ruleIndex")
    if isinstance(index, int) and 0 <= index < len(listed):
        return listed[index]
    return rules.get(_text(result, "ruleId"), {})


def _severity(result: Mapping[str, Any], rule: Mapping[str, Any]) -> Severity:
    for holder in (result, rule):
        score = _score(_dict(holder, "properties").get("security-severity"))
        if score is not None:
            return next((severity for least, severity in _BY_SCORE if score >= least), Severity.LOW)
    level = result.get("level") or _dict(rule, "defaultConfiguration").get("level")
    return _LEVELS.get(level, Severity.MEDIUM) if isinstance(level, str) else Severity.MEDIUM


def _score(value: object) -> float | None:
    with suppress(ValueError):
        if isinstance(value, (str, int, float)) and 0 <= float(value) <= 10:
            return float(value)
    return None


def _message(result: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    message = _dict(result, "message")
    text = _text(message, "text")
    if not text and (wanted := _text(message, "id")):  # a template of the rule, with places for values (3.11.7)
        text = _text(_dict(_dict(rule, "messageStrings"), wanted), "text")
        for number, value in enumerate(_list(message, "arguments")[:20]):
            text = text.replace(f"{{{number}}}", str(value)[:200])
    return text or _text(_dict(rule, "shortDescription"), "text") or _text(rule, "name")


def _place(result: Mapping[str, Any]) -> str:
    first = next((each for each in _list(result, "locations") if isinstance(each, dict)), {})
    physical = _dict(first, "physicalLocation")
    uri = _text(_dict(physical, "artifactLocation"), "uri")
    line = _dict(physical, "region").get("startLine")
    return f"{uri}:{line}" if uri and isinstance(line, int) else uri


def _fingerprint(result: Mapping[str, Any]) -> str:
    for name in ("fingerprints", "partialFingerprints"):
        prints = {key: value for key, value in _dict(result, name).items() if isinstance(value, str)}
        if prints:
            return " ".join(f"{key}={prints[key]}" for key in sorted(prints))
    return ""


def _ended(run: Mapping[str, Any]) -> datetime | None:
    moments = []
    for invocation in _list(run, "invocations"):
        text = _text(invocation, "endTimeUtc") if isinstance(invocation, dict) else ""
        with suppress(ValueError):
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                moments.append(moment)
    return max(moments, default=None)


def _dict(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def _list(holder: Mapping[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    return value if isinstance(value, list) else []


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


FORM = Form(parse=parse)
