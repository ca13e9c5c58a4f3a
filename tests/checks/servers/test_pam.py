"""What PAM really does with a weak password, rule by rule: each row was tried with passwd of shadow 4.17.4 and Linux-PAM 1.7.0.

An account of its own typed a password whenever it was asked for; written means that its hash in /etc/shadow had changed.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks.servers.accounts import new_passwords_hashed, new_passwords_strong
from checks.servers.accounts._polkit import UnreadableRule, read_script
from checks.servers.check import Check, CheckOutcome
from checks.servers.declared import HostDeclared
from checks.servers.facts import Facts
from checks.servers.probe import Output
from checks.servers.probes import pam_stacks
from portalops.model.organisation import Host, HostId

MODULES = ("deny", "exec", "permit", "pwhistory", "pwquality", "passwdqc", "unix")
WRITES = "password|required|pam_unix.so|yescrypt"
HANDED = "password|required|pam_unix.so|use_authtok yescrypt"
JUDGES = "password|{}|pam_pwquality.so|"
TAKEN = {  # password1 was written
    "alone": [WRITES],
    "behind": [
        "password|[success=1 default=ignore]|pam_unix.so|",
        JUDGES.format("requisite"),
        "password|required|pam_permit.so|",
    ],
    "behind, and required": [WRITES, JUDGES.format("requisite")],
    "jumped over": ["password|[success=1 default=ignore]|pam_permit.so|", JUDGES.format("requisite"), WRITES],
    "required, asked again": [JUDGES.format("required"), WRITES],
    "optional, asked again": [JUDGES.format("optional"), WRITES],
    "ignored, asked again": [JUDGES.format("[default=ignore]"), WRITES],
    "asked again by the history": [JUDGES.format("required"), "password|required|pam_pwhistory.so|", HANDED],
    "no dictionary": [JUDGES.format("requisite") + "dictcheck=0", HANDED],
    "no enforcement": [JUDGES.format("requisite") + "enforcing=0", HANDED],
    "passwdqc without enforcement": ["password|requisite|pam_passwdqc.so|enforce=none", HANDED],
    "an optional module that is not there": ["password|optional|pam_gone.so|", WRITES],
    "a sufficient module that is not there": ["password|sufficient|pam_gone.so|", WRITES],
}
REFUSED = {
    "requisite, not handed on": [JUDGES.format("requisite"), WRITES],
    "requisite": [JUDGES.format("requisite"), HANDED],
    "optional, handed on": [JUDGES.format("optional"), HANDED],
    "ignored, handed on": [JUDGES.format("[default=ignore]"), HANDED],
    "sufficient: nothing is ever written": [JUDGES.format("sufficient"), HANDED],
    "jumped over, and nothing to hand on": [
        "password|[success=1 default=ignore]|pam_permit.so|",
        JUDGES.format("requisite"),
        HANDED,
    ],
    "history between": [JUDGES.format("required"), "password|required|pam_pwhistory.so|use_authtok", HANDED],
    "jump out of a substack": ["password|substack|jumps|", WRITES],
    "permitted before anything is written": ["password|sufficient|pam_permit.so|", WRITES],
}
FILES = {"jumps": ["password|[success=9 default=ignore]|pam_permit.so|", "password|required|pam_deny.so|"]}


def judged(rows: list[str], *, hashing: bool = False) -> CheckOutcome:
    files = {"other": ["password|required|pam_deny.so|"], "passwd": rows, **FILES}
    lines = [
        line for name, each in files.items() for line in (f"file|/etc/pam.d/{name}", *(f"row|{row}" for row in each))
    ]
    text = "\n".join(
        (*lines, "set|login.defs|encrypt_method|YESCRYPT", *(f"module|pam_{one}.so" for one in MODULES), "end")
    )
    facts = Facts(
        Host(HostId("web1"), "192.0.2.1"),
        HostDeclared(),
        datetime(2026, 11, 26, tzinfo=UTC),
        {pam_stacks.PROBE.id: pam_stacks.parse(Output(0, text, ""))},
    )
    check: Check = (new_passwords_hashed if hashing else new_passwords_strong).judge
    return check.judge(facts)


@pytest.mark.parametrize("rows", TAKEN.values(), ids=list(TAKEN))
def test_a_word_that_pam_writes_fails(rows: list[str]) -> None:
    assert judged(rows).verdict.value == "fail"


@pytest.mark.parametrize("rows", REFUSED.values(), ids=list(REFUSED))
def test_a_word_that_pam_refuses_passes(rows: list[str]) -> None:
    assert judged(rows).verdict.value == "pass"


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        ("minlen=8 dcredit=1 ucredit=1 lcredit=1 ocredit=1", "fail"),  # g7#KdQ was written
        ("minlen=12 dcredit=1 ucredit=1 lcredit=1 ocredit=1", "pass"),  # g7#KdQz! was written, g7#KdQz was not
        ("minlen=16 minlen=8", "pass"),
        ("minlen=8 minlen=6", "fail"),
    ],
)
def test_credits_shorten_and_the_last_argument_counts(arguments: str, verdict: str) -> None:
    assert judged([JUDGES.format("requisite") + arguments, HANDED]).verdict.value == verdict


def test_what_depends_on_an_unknown_module_is_unknown() -> None:
    jump = "password|[success=1 default=ignore]|pam_exec.so|"

    assert judged([jump, JUDGES.format("requisite"), WRITES]).verdict.value == "unknown"
    assert judged([jump, JUDGES.format("requisite"), HANDED]).verdict.value == "pass"
    assert judged([jump, WRITES, WRITES]).verdict.value == "fail"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("yescrypt md5", "weak-form"),  # $1$
        ("md5 yescrypt", ""),  # $y$j9T$
        ("MD5", ""),  # no argument of pam_unix: $y$j9T$ by login.defs
        ("bigcrypt", "weak-form"),
        ("blowfish", "few-rounds"),  # $2b$05$
        ("blowfish rounds=12", ""),
        ("sha512 rounds=1000", "few-rounds"),
        ("sha512 rounds=10", ""),  # $6$ with its 5000
        ("yescrypt rounds=1", "few-rounds"),  # $y$j7T$
    ],
)
def test_the_form_that_is_written_counts(arguments: str, reason: str) -> None:
    assert judged([f"password|required|pam_unix.so|{arguments}"], hashing=True).reason == reason


@pytest.mark.parametrize(
    ("condition", "granted"),
    [
        ('action.id == "x" && subject.user == "chi"', [("unix-user:chi", ("x",))]),
        ('(action.id == "x" || action.id == "y") && subject.isInGroup("g")', [("unix-group:g", ("x", "y"))]),
        ('subject.isInGroup("g") && subject.active', [("unix-group:g", ("",))]),
        ('action.id.indexOf("x.") == 0 && subject.local', [("*", ("x.",))]),
        ('action.id == "x" && action.lookup("unit") == "nginx.service"', []),
    ],
)
def test_a_rule_of_polkit_in_a_known_form_is_read(condition: str, granted: list[tuple[str, tuple[str, ...]]]) -> None:
    rule = f"polkit.addRule(function(action, subject) {{\n  if ({condition}) {{\n return polkit.Result.YES;\n}}\n}});"

    assert [*read_script(rule)] == granted
    assert [*read_script(rule.replace("YES", "NO"))] == []


@pytest.mark.parametrize(
    "rule",
    [
        'polkit.addRule(function(a, s) { if (a.id == "x" || s.user == "chi" && s.local) { return polkit.Result.YES; } });',
        'polkit.addRule(function(a, s) { if (s.user == "chi") { return "yes"; } });',
        'polkit.addRule(function(a, s) { if (!s.isInGroup("g")) { return polkit.Result.YES; } });',
        'var who = "chi"; polkit.addRule(function(a, s) { if (s.user == who) { return polkit.Result.YES; } });',
        "polkit.addAdminRule(function(a, s) { return names; });",
    ],
)
def test_a_rule_of_polkit_in_another_form_is_not_guessed(rule: str) -> None:
    with pytest.raises(UnreadableRule):
        [*read_script(rule)]
