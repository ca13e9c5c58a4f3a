"""Every check is whole: page, clause, remedy, captures; and what its captures show is what it says."""

from __future__ import annotations

import re
import unicodedata
from functools import partial

import pytest

from checks.servers.catalogue import checks, chosen, probes_of
from checks.servers.check import Check
from checks.servers.judging import judge_again
from checks.servers.probes import preloaded
from portalops.compliance.ledger_checks import RecordCheck, record_checks
from portalops.errors import UnknownCheck
from portalops.locale.pages import FOLDER, vietnamese_page
from portalops.model.checks import CheckResult
from portalops.model.text import paragraphs_of
from portalops.model.verdicts import CheckVerdict, Severity
from tests.checks.servers.samples import SAMPLES, Sample, all_samples, read_sample

CATALOGUE = {
    ("12.1", Severity.HIGH): "inventory.addresses inventory.remote-control",
    ("12.1", Severity.MEDIUM): "inventory.identity inventory.location inventory.hosting",
    ("12.2", Severity.CRITICAL): "change.order",
    ("12.2", Severity.HIGH): "change.packages change.config change.accounts",
    ("12.2", Severity.MEDIUM): "change.package-files change.autostart change.repos",
    ("12.2", Severity.LOW): "change.reboots",
    ("12.3", Severity.CRITICAL): (
        "patching.security-updates patching.os-eol patching.cve-exploited firewall.active "
        "firewall.default-deny firewall.outside-view ha.vip"
    ),
    ("12.3", Severity.HIGH): (
        "patching.list-age patching.security-source patching.reboot-required patching.cve-fixable "
        "patching.runtime-eol patching.cms-version malware.daemon malware.signature-age firewall.persistent "
        "firewall.listeners firewall.admin-restricted firewall.container-bypass ids.prevention "
        "ids.file-integrity ha.keepalived ha.haproxy ha.pg-streaming ha.pg-lag ha.mysql-replica "
        "ha.failover-drill ha.backup-host storage.raid run.failed-units run.availability"
    ),
    ("12.3", Severity.MEDIUM): (
        "patching.unattended patching.held patching.foreign-packages malware.updater malware.last-scan "
        "ids.ssh-jail ids.sensor ids.auditd ha.spare-parity storage.smart storage.space power.ups "
        "run.time-sync"
    ),
    ("12.4", Severity.CRITICAL): "web.leaks web.defacement",
    ("12.4", Severity.HIGH): (
        "ssh.root-login ssh.password-auth tls.expiry tls.chain web.admin-exposed web.webroot-writable "
        "log.forwarded db.exposure vuln.cadence vuln.overdue"
    ),
    ("12.4", Severity.MEDIUM): "ssh.crypto tls.protocols web.https web.dir-listing log.retention kernel.sysctl",
    ("12.4", Severity.LOW): "web.headers kernel.usb-storage",
    ("12.5", Severity.CRITICAL): "acct.uid0 acct.empty-password secrets.readable",
    ("12.5", Severity.HIGH): (
        "acct.sudo-nopasswd acct.privileged acct.authorized-keys acct.shared acct.mfa acct.login-attribution "
        "cred.custody cred.registered cred.portal-accounts"
    ),
    ("12.5", Severity.MEDIUM): "acct.password-age acct.stale acct.default-names",
}
"""Every check of the catalogue, by clause and severity."""

EVERY = checks()
CAPTURES = tuple(all_samples())


def only_result(sample: Sample) -> CheckResult:
    return sample.judged()


@pytest.mark.parametrize("sample", CAPTURES, ids=str)
def test_capture_is_judged_as_its_name_says(sample: Sample) -> None:
    result = only_result(sample)

    assert (result.verdict.value, result.reason) == (sample.verdict, sample.reason), str(result.message)
    assert str(result.message)
    assert (result.remedy is not None) == (result.verdict is CheckVerdict.FAIL)
    assert sample.origin


def test_every_check_of_the_catalogue_is_there_with_its_clause_and_severity() -> None:
    every: tuple[Check | RecordCheck, ...] = (*EVERY, *record_checks())
    there = {one.id: (one.clause, one.severity) for one in every}
    wanted = {name: kind for kind, names in CATALOGUE.items() for name in names.split()}

    assert len(wanted) == 92
    assert {name: there.get(name) for name in wanted} == wanted
    assert len(there) == len(every)


@pytest.mark.parametrize("check", record_checks(), ids=lambda one: one.id)
def test_check_that_own_records_answer_is_whole(check: RecordCheck) -> None:
    assert str(check.title) and str(check.remedy).endswith(".")
    assert re.search(r"^The rule: ", check.page, re.MULTILINE)
    assert "Source: " in check.page
    assert f"Article {check.clause}" in check.page
    assert re.search(r"^    \S", check.page, re.MULTILINE), "no real record"


@pytest.mark.parametrize("check", EVERY, ids=lambda one: one.id)
@pytest.mark.parametrize("kind", ["pass", "fail", "unknown"])
def test_check_has_a_capture_of_each_verdict(check: Check, kind: str) -> None:
    assert any(sample.check == check.id and sample.kind == kind for sample in CAPTURES)


@pytest.mark.parametrize("check", EVERY, ids=lambda one: one.id)
def test_check_is_whole(check: Check) -> None:
    assert re.fullmatch(r"[a-z0-9]+\.[a-z0-9]+(-[a-z0-9]+)*", check.id)
    assert re.fullmatch(r"12\.[1-5]|3\.1", check.clause)
    assert str(check.title) and str(check.remedy).endswith(".")
    assert check.needs, "without a need, nothing could be missing"


@pytest.mark.parametrize("check", EVERY, ids=lambda one: one.id)
def test_page_says_why_and_where_the_rule_comes_from(check: Check) -> None:
    assert re.search(r"^The rule: ", check.page, re.MULTILINE)
    assert re.search(r"^Sources?: ", check.page, re.MULTILINE)
    assert f"Article {check.clause}" in check.page
    assert re.search(r"^    \S", check.page, re.MULTILINE), "no real output"
    assert paragraphs_of(check.page)[0].endswith(".")


PAGES = {check.id: check.page for check in EVERY} | {check.id: check.page for check in record_checks()}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_is_there_in_vietnamese_too_with_the_same_parts_and_the_same_output(name: str) -> None:
    own, vietnamese = PAGES[name], vietnamese_page(name, {})
    assert vietnamese is not None, "no page in Vietnamese"

    assert len(paragraphs_of(vietnamese)) == len(paragraphs_of(own))
    assert [line for line in vietnamese.splitlines() if line.startswith("    ")] == [
        line for line in own.splitlines() if line.startswith("    ")
    ]
    assert unicodedata.is_normalized("NFC", vietnamese)
    assert re.search(r"^Quy tắc: ", vietnamese, re.MULTILINE) and "Nguồn: " in vietnamese


def test_no_page_in_vietnamese_is_of_a_check_that_is_not_there() -> None:
    assert {file.stem for file in FOLDER.glob("*.md")} <= PAGES.keys()


def test_samples_belong_to_a_check() -> None:
    folders = {path.name for path in SAMPLES.iterdir() if "." in path.name}

    assert folders == {check.id for check in EVERY}


def test_ids_are_unique_and_many() -> None:
    assert len({check.id for check in EVERY}) == len(EVERY) >= 20


def test_every_probe_has_its_own_id_and_the_clock_comes_last() -> None:
    probes = probes_of(EVERY)

    own = {id(probe) for check in EVERY for probe in (*check.needs, *check.uses)}
    assert own | {id(preloaded.PROBE)} == {id(probe) for probe in probes.values()}
    assert len(own) + 1 == len(probes)
    assert list(probes)[-1] == "clock"


def test_unknown_check_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownCheck) as caught:
        chosen(ids=("ssh.root-logn",))

    assert "ssh.root-login" in str(caught.value.hint)


def test_a_family_that_does_not_exist_is_called_a_family() -> None:
    with pytest.raises(UnknownCheck, match="there is no family of checks shs"):
        chosen(families=("shs",))


def test_family_chooses_its_checks() -> None:
    assert {check.id for check in chosen(families=("ssh",))} == {"ssh.root-login", "ssh.password-auth", "ssh.crypto"}


@pytest.mark.parametrize("locale", ["vi_VN.UTF-8", "C"])
def test_verdict_does_not_read_translated_prose(locale: str) -> None:
    sample = read_sample(SAMPLES / "patching.security-updates/fail.txt")
    prose = {
        b"Reading package lists...": "Đang đọc các danh sách gói...".encode(),
        b"The following packages will be upgraded:": "Các gói sau sẽ được nâng cấp:".encode(),
    }
    raw = sample.raw
    if locale == "vi_VN.UTF-8":
        for english, vietnamese in prose.items():
            raw = raw.replace(english, vietnamese)

    (result,) = judge_again(raw, sample.host, sample.declared, sample.at, some=chosen(ids=(sample.check,)))

    assert result.verdict is CheckVerdict.FAIL
    assert str(result.message) == str(only_result(sample).message)


@pytest.mark.parametrize("sample", CAPTURES, ids=str)
def test_line_ends_of_a_terminal_change_no_verdict(sample: Sample) -> None:
    result = sample.judged(lambda raw: raw.replace(b"\n", b"\r\n").replace(b"cut=0\r\n", b"cut=0\n"))

    assert result.verdict.value in {sample.verdict, "unknown"}, "a fail may become unknown, never a pass"
    if sample.verdict == "unknown":
        assert result.verdict is CheckVerdict.UNKNOWN


@pytest.mark.parametrize("check", EVERY, ids=lambda one: one.id)
def test_check_without_its_facts_is_unknown(check: Check) -> None:
    nonce = "0" * 32
    raw = f"portalops-answer 1 nonce={nonce} rc=0 cut=0\n".encode()
    sample = next(one for one in CAPTURES if one.check == check.id)

    result = sample.judged(lambda _: raw)

    expected = CheckVerdict.NOT_APPLICABLE if check.exempt_roles & sample.host.roles else CheckVerdict.UNKNOWN
    assert result.verdict is expected
    assert result.reason in {"answer-incomplete", "role"}


@pytest.mark.parametrize("sample", [one for one in CAPTURES if one.verdict == "pass"], ids=str)
def test_pass_falls_to_unknown_when_a_needed_section_is_missing(sample: Sample) -> None:
    (check,) = chosen(ids=(sample.check,))
    for probe in check.needs:
        name = re.escape(probe.id.encode())
        section = re.compile(
            rb"<<<[0-9a-f]+ " + name + rb">>>\n.*?<<<[0-9a-f]+ " + name + rb" rc=\d+ s=0>>>\n", re.DOTALL
        )
        assert section.search(sample.raw)

        result = sample.judged(partial(section.sub, b""))

        assert result.verdict is CheckVerdict.UNKNOWN
        assert result.reason == "not-gathered"


PATCHING = [one for one in CAPTURES if one.verdict == "pass" and one.check.startswith("patching.")]


@pytest.mark.parametrize("sample", PATCHING, ids=str)
def test_patching_passes_on_no_less_than_all_that_its_capture_holds(sample: Sample) -> None:
    names = re.findall(rb"<<<[0-9a-f]+ ([a-z.-]+)>>>\n", sample.raw)
    for name in names[:-1]:  # the last is the end mark
        raw = re.sub(
            rb"<<<[0-9a-f]+ " + re.escape(name) + rb">>>\n.*?rc=\d+ s=0>>>\n", b"", sample.raw, flags=re.DOTALL
        )

        (result,) = judge_again(raw, sample.host, sample.declared, sample.at, some=chosen(ids=(sample.check,)))

        assert (result.verdict, result.reason) == (CheckVerdict.UNKNOWN, "not-gathered"), name


@pytest.mark.parametrize("sample", CAPTURES, ids=str)
@pytest.mark.parametrize(
    "garbage", [b"", b"\x00\xff\xfe\x1b[31m", b"{}", b"[]", b"null", "Lỗi: không có quyền\n".encode()]
)
def test_rubbish_never_passes_and_never_crashes(sample: Sample, garbage: bytes) -> None:
    sections = re.compile(rb"(<<<[0-9a-f]+ [a-z0-9.-]+>>>\n).*?(\n<<<[0-9a-f]+ [a-z0-9.-]+ stderr>>>)", re.DOTALL)
    result = sample.judged(lambda raw: sections.sub(lambda match: match[1] + garbage + match[2], raw))

    assert result.verdict is not CheckVerdict.ERROR
    if garbage or sample.check != "run.failed-units":
        assert result.verdict in {CheckVerdict.UNKNOWN, CheckVerdict.FAIL, CheckVerdict.NOT_APPLICABLE}, str(
            result.message
        )
