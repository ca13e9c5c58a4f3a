"""Judged duties as OSCAL Assessment Results 1.1.2, NIST's form in which programs for compliance hand on what was assessed.

OSCAL knows two answers, `satisfied` and `not-satisfied`. Only a duty that is met is satisfied; of all others the property `verdict` says
what they are, so that what could not be found out is neither a pass nor called a fault. The whole report stands in the remarks of its
result as Markdown, which OSCAL takes there. Identifiers are made of ledger, head, period and rulebook (RFC 9562, version 5): the same report has the same.
"""

from __future__ import annotations

import json
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from portalops.errors import ReportError
from portalops.model.assessment import Assessment, JudgedDuty
from portalops.model.message import Message, msg
from portalops.model.organisation import Name
from portalops.model.verdicts import DutyVerdict
from portalops.reports.assessment import words_of
from portalops.reports.document import Document
from portalops.reports.formats import ReportFormat, markdown
from portalops.reports.reader import Reader
from portalops.reports.words import clause_words, duty_status, joined

OSCAL_VERSION = "1.1.2"
NAMESPACE = "https://portalops.invalid/oscal"
"""Of the properties that OSCAL itself does not name: a name and no address, with `//` in it since some readers take no other."""
_SEED = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_REASONS: Mapping[DutyVerdict, str] = {DutyVerdict.MET: "pass", DutyVerdict.UNMET: "fail"}
"""OSCAL's reasons of a state; all other verdicts are `other`."""

Json: TypeAlias = "str | Sequence[Json] | Mapping[str, Json]"


def require(document: Document) -> None:
    """Pass for a document that judges duties.

    Raises:
        ReportError: it judges none, so that there is nothing to assess.
    """
    _judged(document)


def render(document: Document, *, language: str) -> bytes:
    """Return one JSON object in UTF-8, indented, ending in a line feed.

    Raises:
        ReportError: the document judges no duty, so that there is nothing to assess.
    """
    assessment = _judged(document)
    reader = Reader(language, ZoneInfo(document.zone))
    whole = markdown.FORMAT.render(document, language=language).decode("utf-8")
    data = _Writer(assessment, reader).results(document.title, whole)
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


FORMAT = ReportFormat(suffix=".oscal.json", render=render, require=require)


def _judged(document: Document) -> Assessment:
    assessment = document.assessment
    if assessment is None or not assessment.judged:
        raise ReportError(
            msg("OSCAL needs duties as data, and this document has none"),
            msg("Choose another format; only the report compliance can be written as oscal."),
        )
    return assessment


@dataclass(frozen=True, slots=True)
class _Writer:
    of: Assessment
    reader: Reader

    def results(self, title: Message, whole: str) -> Json:
        of = self.of
        rulebook = self._id("rulebook", of.rulebook)
        return {
            "assessment-results": {
                "uuid": self._id("results", self.reader.language),
                "metadata": {
                    "title": self._line(title),
                    "last-modified": _moment(of.made_at),
                    "version": of.head_code or _moment(of.made_at),
                    "oscal-version": OSCAL_VERSION,
                    "props": self._props(),
                },
                "import-ap": {
                    "href": f"#{rulebook}",
                    "remarks": self._line(msg("The duties and rules of the rulebook are the plan of the assessment.")),
                },
                "results": [self._result(title, whole)],
                "back-matter": {"resources": [self._rulebook(rulebook)]},
            }
        }

    def _result(self, title: Message, whole: str) -> Json:
        of = self.of
        observations = [self._observation(each) for each in of.judged if each.standing.evidence]
        clauses = sorted({each.duty.clause for each in of.judged}, key=_order)
        result: dict[str, Json] = {
            "uuid": self._id("result", self.reader.language),
            "title": self._line(title),
            "description": self._line(
                msg(
                    "{portal}, {period}. Only a duty that evidence in the period shows to be met is satisfied; the property verdict"
                    " tells unmet duties from those for which evidence does not suffice.",
                    portal=of.portal,
                    period=of.period,
                )
            ),
            "start": _moment(of.start),
            "end": _moment(of.end),
            "reviewed-controls": {
                "control-selections": [{"include-controls": [{"control-id": f"clause-{each}"} for each in clauses]}]
            },
            **({"observations": observations} if observations else {}),
            "findings": [self._finding(each) for each in of.judged],
            "remarks": whole,
        }
        return result

    def _props(self) -> Sequence[Json]:
        of = self.of
        pairs = [
            ("portal", of.portal_id),
            ("language", self.reader.language),
            ("period", of.period),
            ("rulebook", of.rulebook),
            ("portalops", of.version),
            ("ledger", of.ledger),
            ("last-record-sha256", of.last_record),
            ("head-code", of.head_code),
            ("ledger-holds", "yes" if of.holds else "no"),
        ]
        return [_prop(name, value) for name, value in pairs if value]

    def _rulebook(self, identifier: str) -> Json:
        of = self.of
        clauses = "\n\n".join(
            f"{self._line(clause_words(each))}: {self._lines(of.clauses[each])}"
            for each in sorted(of.clauses, key=_order)
        )
        return {
            "uuid": identifier,
            "title": self._line(of.regulation),
            "description": clauses or self._line(of.regulation),
            "props": [_prop("rulebook", of.rulebook)],
            "citation": {"text": self._line(of.document)},
        }

    def _finding(self, one: JudgedDuty) -> Json:
        standing = one.standing
        verdict = standing.verdict
        finding: dict[str, Json] = {
            "uuid": self._id("finding", one.duty.id),
            "title": self._line(one.duty.title),
            "description": "\n\n".join(self._line(words) for words in words_of(standing)),
            "props": [_prop("verdict", verdict.value), _prop("duty", one.duty.id), _prop("clause", one.duty.clause)],
            "target": {
                "type": "objective-id",
                "target-id": f"duty-{one.duty.id}",
                "title": self._line(one.duty.title),
                "description": self._line(one.duty.evidence),
                "status": {
                    "state": "satisfied" if verdict is DutyVerdict.MET else "not-satisfied",
                    "reason": _REASONS.get(verdict, "other"),
                    "remarks": self._line(duty_status(verdict).word),
                },
            },
        }
        if standing.evidence:
            finding["related-observations"] = [{"observation-uuid": self._id("observation", one.duty.id)}]
        return finding

    def _observation(self, one: JudgedDuty) -> Json:
        standing = one.standing
        seqs = ", ".join(str(seq) for seq in sorted(standing.evidence))
        observation: dict[str, Json] = {
            "uuid": self._id("observation", one.duty.id),
            "description": self._line(standing.reason),
            "props": [_prop("duty", one.duty.id)],
            "methods": ["EXAMINE"],
            "types": ["control-objective"],
            "relevant-evidence": [
                {
                    "description": self._line(msg("Records of the ledger: {seqs}", seqs=seqs)),
                    "props": [_prop("ledger-records", seqs), *self._recorders(one)],
                }
            ],
            "collected": _moment(standing.newest_at or self.of.made_at),
        }
        if standing.due_at is not None:
            observation["expires"] = _moment(standing.due_at)
        return observation

    def _recorders(self, one: JudgedDuty) -> Sequence[Json]:
        said = self.reader.text(joined(one.recorders)) if one.recorders else ""
        return [_prop("recorded-by", said)] if said else []

    def _line(self, words: Message | Name | str) -> str:
        """Return text that OSCAL, which reads these fields as Markdown, shows as it is; of one line, never empty."""
        return markdown.escape(self.reader.text(words)).strip() or "–"

    def _lines(self, text: str) -> str:
        return "\n".join(self._line(line) for line in text.splitlines() if line.strip())

    def _id(self, *what: str) -> str:
        of = self.of
        about = (of.ledger or "", of.last_record or "", of.head_code or "", of.period, of.rulebook, of.portal_id)
        return str(uuid.uuid5(_SEED, "\n".join((*about, *what))))


def _prop(name: str, value: str) -> Json:
    return {"name": name, "ns": NAMESPACE, "value": unicodedata.normalize("NFC", value)}


def _order(clause: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in clause.split("."))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
