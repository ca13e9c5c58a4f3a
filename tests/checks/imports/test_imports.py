"""Reports of other tools: real ones of each form, and what a hostile or broken file comes to."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.imports import FORMS, MAX_BYTES, read_claims
from checks.imports._reading import MAX_CLAIMS
from portalops.errors import ImportRefused
from portalops.model.verdicts import Severity

SAMPLES = Path(__file__).parents[2] / "samples" / "imports"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def sarif(*results: object, **driver: Any) -> bytes:
    run = {"tool": {"driver": {"name": "scanner", **driver}}, "results": list(results)}
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


def test_forms_are_found_by_their_files() -> None:
    assert {"lynis", "openscap", "sarif"} <= set(FORMS.names())


# --- real reports ---------------------------------------------------------------------------------


def test_lynis_warnings_and_suggestions_are_claims() -> None:
    (found,) = read_claims("lynis", sample("lynis-report.dat"))

    assert (found.tool, found.version, found.made_at, found.left_off) == ("Lynis", "3.1.4", None, 0)
    medium = [claim.rule for claim in found.claims if claim.severity is Severity.MEDIUM]
    assert medium == ["PKGS-7392", "DBS-1828", "DBS-1828", "DBS-1828", "LOGG-2138"]
    assert len(found.claims) == len({claim.key for claim in found.claims}) == 61
    assert any("MaxAuthTries (set 6 to 3)" in claim.message for claim in found.claims)
    assert "in a zone that is not told" in found.notes[0]


def test_lynis_finds_a_claim_again_though_its_numbers_changed() -> None:
    text = sample("lynis-report.dat")
    before = {claim.key for claim in read_claims("lynis", text)[0].claims}
    after = {claim.key for claim in read_claims("lynis", text.replace(b"Check 79 files", b"Check 81 files"))[0].claims}

    assert after == before


def test_lynis_answers_for_the_tests_that_it_executed_and_for_no_others() -> None:
    (some,) = read_claims("lynis", sample("lynis-ssh-only.dat"))
    (unnamed,) = read_claims("lynis", sample("lynis-report.dat"))

    assert {"SSH-7408", "SSH-7440"} < set(some.answered)
    assert not {"DEB-0510", "NETW-2705", "AUTH-9230", "LYNIS", ""} & set(some.answered)
    assert unnamed.answered == ()
    assert "does not name the tests" in unnamed.notes[-1]


@pytest.mark.parametrize("name", ["openscap-xccdf.xml", "openscap-arf.xml"])
def test_openscap_fails_are_claims_and_what_was_not_checked_is_a_note(name: str) -> None:
    (found,) = read_claims("openscap", sample(name))

    (claim,) = found.claims
    assert (claim.rule, claim.severity) == ("xccdf_vn.portalops.samples_rule_issue_net", Severity.MEDIUM)
    assert claim.message == "There is no file /etc/hostname"
    assert (found.tool, found.version) == ("OpenSCAP", "1.4.2")
    assert found.made_at == datetime(2026, 11, 26, 4, 42, 40, tzinfo=UTC)
    assert found.notes == ("1 rules have the result notchecked", "the tool calls the host vm")


RULE = b"xccdf_vn.portalops.samples_rule_issue_net"


@pytest.mark.parametrize("result", ["pass", "fixed"])
def test_openscap_rule_is_answered_by_a_pass(result: str) -> None:
    given = sample("openscap-xccdf.xml").replace(b"<result>fail</result>", f"<result>{result}</result>".encode())
    (found,) = read_claims("openscap", given)

    assert RULE.decode() in found.answered
    assert found.claims == ()


@pytest.mark.parametrize(
    "result", ["fail", "error", "unknown", "notchecked", "notselected", "notapplicable", "informational", ""]
)
def test_openscap_rule_is_answered_by_nothing_else(result: str) -> None:
    given = sample("openscap-xccdf.xml").replace(b"<result>fail</result>", f"<result>{result}</result>".encode())
    (found,) = read_claims("openscap", given)

    assert found.answered == ("xccdf_vn.portalops.samples_rule_passwd_mode",)


def test_openscap_rule_that_passes_in_one_place_and_errs_in_another_is_not_answered() -> None:
    both = b'<rule-result idref="r"><result>pass</result></rule-result><rule-result idref="r"><result>error</result></rule-result>'
    (found,) = read_claims("openscap", b"<TestResult>" + both + b"</TestResult>")

    assert found.answered == ()


def test_sarif_results_are_claims_of_the_tool_that_the_run_names() -> None:
    (found,) = read_claims("sarif", sample("ruff.sarif"))

    assert found.tool == "ruff"
    assert [claim.rule for claim in found.claims] == ["S105", "S602", "S301", "S324"]
    assert {claim.severity for claim in found.claims} == {Severity.HIGH}
    assert found.claims[1].place == "file:///srv/portal-sample/hook.py:7"


# --- what SARIF says of levels, kinds and suppressions ---------------------------------------------


@pytest.mark.parametrize(
    ("result", "rule", "severity"),
    [
        ({}, {}, Severity.MEDIUM),
        ({"level": "note"}, {"defaultConfiguration": {"level": "error"}}, Severity.LOW),
        ({}, {"defaultConfiguration": {"level": "error"}}, Severity.HIGH),
        ({"level": "note"}, {"properties": {"security-severity": "9.8"}}, Severity.CRITICAL),
        ({"level": "error"}, {"properties": {"security-severity": "a lot"}}, Severity.HIGH),
        ({"level": "error"}, {"properties": {"security-severity": None}}, Severity.HIGH),
        ({"level": ["error"]}, {}, Severity.MEDIUM),
    ],
)
def test_sarif_severity_is_the_score_or_the_level(
    result: dict[str, object], rule: dict[str, object], severity: Severity
) -> None:
    data = sarif({"ruleId": "R", "message": {"text": "x"}, **result}, rules=[{"id": "R", **rule}])

    assert read_claims("sarif", data)[0].claims[0].severity is severity


def test_sarif_passes_and_suppressed_results_are_counted_and_are_no_claims() -> None:
    data = sarif(
        {"ruleId": "A", "kind": "pass"},
        {"ruleId": "B", "suppressions": [{"kind": "external"}]},
        {"ruleId": "C", "suppressions": [{"kind": "external", "status": "rejected"}]},
        "no result",
    )
    (found,) = read_claims("sarif", data)

    assert [claim.rule for claim in found.claims] == ["C"]
    assert found.notes == (
        "1 results are suppressed",
        "1 results are no result",
        "1 results are of another kind than fail",
    )


AT = {"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 3}}}


@pytest.mark.parametrize(
    "result",
    [
        {"kind": "pass"},
        {"kind": "pass", "level": "none"},
        {"baselineState": "absent"},
        {"baselineState": "absent", "suppressions": [{"kind": "inSource"}]},
    ],
)
def test_sarif_result_is_fixed_by_a_pass_at_its_place_or_by_being_absent_from_the_run(
    result: dict[str, object],
) -> None:
    (before,) = read_claims("sarif", sarif({"ruleId": "R", "locations": [AT]}))
    (after,) = read_claims("sarif", sarif({"ruleId": "R", "locations": [AT], **result}))

    assert (after.claims, after.answered) == ((), ())
    assert after.fixed == (before.claims[0].key,)


@pytest.mark.parametrize(
    "result",
    [
        *({"kind": kind} for kind in ("open", "review", "informational", "notApplicable")),
        {"kind": "pass", "level": "error"},
        {"kind": ["pass"]},
        {"suppressions": [{"kind": "inSource"}]},
        *({"baselineState": state} for state in ("new", "unchanged", "updated", "gone", None)),
    ],
)
def test_sarif_result_is_fixed_by_nothing_else(result: dict[str, object]) -> None:
    (found,) = read_claims("sarif", sarif({"ruleId": "R", "locations": [AT], **result}))

    assert (found.answered, found.fixed) == ((), ())


def test_sarif_result_that_is_there_still_in_another_form_is_not_fixed() -> None:
    same: dict[str, object] = {"ruleId": "R", "locations": [AT]}
    for there in ({"suppressions": [{"kind": "inSource"}]}, {"kind": "open"}):
        (found,) = read_claims("sarif", sarif({**same, "baselineState": "absent"}, {**same, **there}))

        assert (found.claims, found.answered, found.fixed) == ((), (), ())


def test_sarif_pass_that_names_no_rule_answers_for_none() -> None:
    (found,) = read_claims("sarif", sarif({"kind": "pass"}))

    assert (found.answered, found.fixed) == ((), ())


def test_sarif_pass_without_a_place_answers_for_its_rule_unless_the_run_holds_anything_else_of_it() -> None:
    passed: dict[str, object] = {"ruleId": "R", "kind": "pass"}

    (alone,) = read_claims("sarif", sarif(passed))
    (doubted,) = read_claims("sarif", sarif(passed, {"ruleId": "R", "kind": "review", "locations": [AT]}))

    assert (alone.answered, doubted.answered) == (("R",), ())


@pytest.mark.parametrize("kind", ["failed", 7, None])
def test_sarif_result_of_a_kind_that_there_is_not_counts_as_a_fail(kind: object) -> None:
    (found,) = read_claims("sarif", sarif({"ruleId": "R", "kind": kind}))

    assert [claim.rule for claim in found.claims] == ["R"]


def test_sarif_finds_a_result_again_by_its_fingerprint_though_the_line_moved() -> None:
    def at(line: int) -> bytes:
        place = {"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": line}}}
        return sarif({"ruleId": "R", "locations": [place], "partialFingerprints": {"hash/v1": "abc"}})

    assert read_claims("sarif", at(3))[0].claims[0].key == read_claims("sarif", at(9))[0].claims[0].key


# --- hostile and broken files -------------------------------------------------------------------------

BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><TestResult><rule-result idref="&c;"/></TestResult>"""
OUTSIDE = b"""<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><TestResult><target>&a;</target></TestResult>"""


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("openscap", BOMB),
        ("openscap", OUTSIDE),
        ("openscap", b""),
        ("openscap", b"<html><body>404</body></html>"),
        ("openscap", b"<TestResult>"),
        ("openscap", b'<?xml version="1.0" encoding="no-such"?><TestResult/>'),
        ("sarif", b""),
        ("sarif", b"[" * 200_000),
        ("sarif", b'{"version": "2.1.0", "runs": ' + b'{"a":' * 100_000),
        ("sarif", b'{"version": "2.1.0", "runs": []}'),
        ("sarif", b'{"version": "3.0.0", "runs": [{}]}'),
        ("sarif", b'{"version": "2.1.0", "runs": [{}]}'),
        ("sarif", b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}}]}'),
        ("sarif", sarif().replace(b'"results"', b'"invocations": [{"executionSuccessful": false}], "results"')),
        ("sarif", b'{"version": "2.1.0", "runs": [' + b"{}," * 60 + b"{}]}"),
        ("sarif", b"\xff\xfe\x00"),
        ("sarif", b"[]"),
        ("lynis", b""),
        ("lynis", b"\x00" * 1000),
        ("lynis", b"warning[]=SSH-7408|x|-|-|\n"),
        ("lynis", b"report_version_major=1\nlynis_version=3.1.4\nwarning[]=A|cut off|-|-|\n"),
        ("no-such", b""),
    ],
)
def test_what_is_no_whole_report_is_refused(form: str, data: bytes) -> None:
    with pytest.raises(ImportRefused):
        read_claims(form, data)


def test_document_that_is_nested_without_end_does_no_harm() -> None:
    deep = b"<a>" * 200_000 + b"</a>" * 200_000
    result = b'<rule-result idref="r"><result>fail' + deep + b"</result></rule-result>"
    (found,) = read_claims("openscap", b"<TestResult>" + result + b"</TestResult>")

    assert [claim.rule for claim in found.claims] == ["r"]


def test_report_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(ImportRefused, match="larger"):
        read_claims("lynis", b"\n" * (MAX_BYTES + 1))


def test_more_claims_than_are_kept_are_counted() -> None:
    lines = b"".join(b"warning[]=T-%d|x|-|-|\n" % n for n in range(MAX_CLAIMS + 7))
    (found,) = read_claims("lynis", b"report_version_major=1\nlynis_version=3\nfinish=true\n" + lines)

    assert (len(found.claims), found.left_off) == (MAX_CLAIMS, 7)


HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202e|\n" + "x" * 100_000


def test_texts_of_a_report_are_bounded_and_escaped() -> None:
    data = sarif(
        {"ruleId": HOSTILE, "message": {"text": HOSTILE}, "partialFingerprints": {HOSTILE: HOSTILE}}, version=HOSTILE
    )
    (found,) = read_claims("sarif", data)

    (claim,) = found.claims
    for text in (claim.key, claim.rule, claim.message, claim.place, found.version):
        assert len(text) <= 500
        assert text.isprintable()


_KEYS = (
    "runs tool driver name rules results ruleId ruleIndex level message text locations physicalLocation region startLine"
    " suppressions properties baselineState security-severity invocations endTimeUtc fingerprints artifactLocation uri kind arguments"
)
KEYS = tuple(re.split(" ", _KEYS))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(deadline=None)
@given(JSON)
def test_any_json_is_a_report_or_is_refused(runs: object) -> None:
    for content in (runs, [{"tool": {"driver": {"name": "x"}}, "results": [runs]}], [{"tool": runs}]):
        data = json.dumps({"version": "2.1.0", "runs": content}).encode()
        with suppress(ImportRefused):
            read_claims("sarif", data)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read_without_a_fault(data: bytes) -> None:
    for form in FORMS.names():
        with suppress(ImportRefused):
            read_claims(form, data)
