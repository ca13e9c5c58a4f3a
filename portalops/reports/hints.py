"""What to do next about a check that could not be answered: one place for every coded reason, whichever check gave it.

A check's remedy says how the good state is reached, and helps nobody who could not look. So an unknown answer gets a hint by
its reason. Records hold the reason alone, so the hints of old records are those of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from portalops.model.checks import CheckResult
from portalops.model.message import Message, msg, nmsg
from portalops.model.verdicts import CheckVerdict
from portalops.reports.document import Cell, TableBlock

_WAY = msg("Run 'portalops host test {host}' to see at which step it fails.")
_FAULT = msg("This is a fault in portalops, not in {host}: report it with the output of --debug.")
_TOO_MUCH = msg("Find out on {host} why so much is printed; 'portalops check show {check}' shows the command.")
_AS_ROOT = msg(
    "Install on {host} what 'portalops host sudoers' and 'portalops host helper' print; 'portalops host test {host}' tries it."
)
_MISSING = msg("Install what is missing on {host}; 'portalops check show {check}' shows what is needed and why.")
_BY_HAND = msg(
    "Run on {host} by hand what 'portalops check show {check}' describes, and repair what keeps it from answering."
)
_OTHER_SYSTEM = msg(
    "This check does not know the setup of {host}: check it by hand as 'portalops check show "
    "{check}' describes, or use a supported product."
)
_AGAIN = msg("Find out what slows {host} down, then run 'portalops check run --host {host} --check {check}'.")
_SCAN = msg("Run 'portalops check run': that scan did not ask for this.")
_DECLARE = msg(
    "Declare it under [checks.declared] in the configuration; 'portalops check declare {host}' "
    "drafts it from the host's answers."
)
_OUTSIDE = msg("Run 'portalops check run --outside' on a machine outside the hosts' network.")
_ANSWERS = msg(
    "Find out from outside why there is no answer, then run 'portalops check run --outside --host "
    "{host} --check {check}'."
)
_PROBE_SERVICE = msg("Run 'portalops schedule install' as root on {host}: its probe service is of another version.")
_SAMPLES = msg("Set a timer that runs 'portalops check sample' every five minutes.")
_GROUP = msg("Run 'portalops check run' over all members of the group at once.")
_BUNDLE = msg(
    "Build a fresh bundle with 'portalops vuln bundle build' on a connected machine; 'portalops vuln "
    "bundle check' shows what it holds."
)
_TABLE = msg(
    "Build a bundle with a fresh table ('portalops vuln bundle build --support'), or update portalops, whose own table is dated too."
)
_LISTS = msg(
    "Let {host} fetch its lists from archives that have security fixes ('apt-get update', 'dnf "
    "makecache'), and find out why its timer does not."
)
_CLOCK = msg("Synchronise the clock of {host} (NTP/chrony), and find out why this is dated in the future.")
_LOGS = msg("Keep the logs of {host} for longer, and let the account read them: the groups adm and systemd-journal.")
_LOG_LEVEL = msg("Set LogLevel INFO or VERBOSE for all logins in sshd_config of {host}.")
_RECORD = msg("Record what is missing; 'portalops check show {check}' shows which records it is judged from.")
_PORTAL = msg(
    "Run 'portalops credential poll' and find out why the portal's accounts cannot be read; the job "
    "that checks the servers runs it each time."
)
_POLL = msg(
    "Check it on {host} by hand: 'portalops check show {check}' describes what counts and why this could not be judged."
)

_REASONS: Mapping[str, Message] = {
    reason: hint
    for hint, reasons in (
        (_WAY, "host-unreachable gather-failed host-deadline answer-incomplete answer-rejected answer-cut"),
        (_FAULT, "gather-crashed parser-crashed check-crashed"),
        (_TOO_MUCH, "output-cut too-many"),
        (_AS_ROOT, "sudo-refused helper-outdated"),
        (_PROBE_SERVICE, "probe-service-outdated"),
        (_MISSING, "command-missing plugin-missing apt-too-old no-signatures no-summary no-try no-run no-log"),
        (
            _BY_HAND,
            "command-failed unparseable no-right no-position processes-hidden folder-closed nothing-listens nothing-collected not-asked not-mounted no-charge version-unreadable",
        ),
        (
            _OTHER_SYSTEM,
            "unknown-system no-systemd other-product no-kernel-package foreign-kernel directory-accounts key-absent no-disk no-webroot no-keys unknown-hash other-protocols may-be-list not-whole",
        ),
        (_AGAIN, "probe-timeout"),
        (_SCAN, "not-gathered not-run"),
        (_DECLARE, "not-declared outage-not-declared no-approved-copy since-ahead"),
        (_OUTSIDE, "not-seen-from-outside outside-failed look-too-old station-in-admin-ranges"),
        (
            _ANSWERS,
            "no-answer not-all-tried no-handshake no-offer page-not-seen plain-not-seen port-shut server-in-trouble cannot-tell no-control name-not-found no-address no-trust-list text-unclear",
        ),
        (_SAMPLES, "not-sampled too-few-samples samples-too-far-apart"),
        (_GROUP, "member-not-looked-at needs-group"),
        (
            _BUNDLE,
            "no-bundle bundle-old bundle-refused bundle-in-future records-old few-records release-not-covered nothing-compared lookup-mismatch lookup-failed no-exploited-list exploited-list-old",
        ),
        (_TABLE, "no-table table-old series-unknown unknown-release"),
        (
            _LISTS,
            "lists-empty lists-expired lists-old never-refreshed refresh-unproven no-cache no-package-lists mirror-age-unknown no-repositories no-security-source no-advisories",
        ),
        (
            _CLOCK,
            "source-not-seen built-in-future changed-in-future clock-off clock-wrong fetched-in-future log-in-future look-in-future ran-in-future refreshed-in-future run-in-future scan-in-future try-in-future written-in-future",
        ),
        (
            _LOGS,
            "host-young journal-closed journal-too-short journal-unreadable journal-volatile log-empty log-too-short no-logs run-not-seen holder-unknown login-not-in-journal",
        ),
        (_LOG_LEVEL, "log-level log-level-by-match"),
        (_PORTAL, "portal-not-asked portal-never-asked portal-look-too-old no-account-seen"),
        (_RECORD, "no-register no-records no-day no-document place-not-recorded register-unreadable records-failed"),
    )
    for reason in reasons.split()
} | {
    "no-source-of-portal": msg(
        'Configure an update source of kind "sql" with a product that reads the portal\'s database '
        "(docs/credentials.md); the source's id is the NAME in portal:NAME."
    ),
    **dict.fromkeys(
        ("apt-elsewhere", "settings-not-understood", "start-not-understood", "security-partial", "kept-back"),
        msg("Take these settings out on {host}, or find out by hand that fixes come in spite of them."),
    ),
    "lists-not-refreshed": msg(
        'Set APT::Periodic::Update-Package-Lists to "1" and start apt-daily.timer on {host}, or declare its updates as manual.'
    ),
    "no-group": msg(
        "Name the hosts that stand by for each other in a [checks.declared.group.NAME]; where there are none, name the kind in 'no_standby'."
    ),
    "host-not-enrolled": msg(
        "Read the key's fingerprint at the host's own console, then run 'portalops host enroll {host} --fingerprint SHA256:...'."
    ),
    "host-key-changed": msg(
        "Find out why the key is different; if it was changed on purpose, run 'portalops host enroll "
        "{host} --replace --reason TEXT'."
    ),
    "legacy-ssh": msg(
        "Update the SSH server of {host}; until then run there the output of 'portalops host script "
        "{host}', and supply its answer with --facts."
    ),
}
"""By coded reason. One that no line names is of its check alone: there `_LOOK` leads to the check's page."""
SHOWN = 6
"""So many checks of a hint are named; the others are counted."""


def next_step(result: CheckResult) -> Message | None:
    """Return what to do about a result: the remedy of a fail, the hint of what could not be found out, None of all others."""
    if result.verdict not in {CheckVerdict.UNKNOWN, CheckVerdict.ERROR}:
        return result.remedy
    return _hint(result, result.check)


def steps_table(results: Iterable[CheckResult]) -> TableBlock | None:
    """Return what to do next about what could not be found out, each hint once with its checks; None where there is nothing."""
    together: dict[tuple[str, str], list[CheckResult]] = {}
    for result in results:
        if result.verdict in {CheckVerdict.UNKNOWN, CheckVerdict.ERROR}:
            together.setdefault((_find_hint(result).text, _host(result)), []).append(result)
    if not together:
        return None
    rows: list[Sequence[Cell]] = [
        (_host(some[0]), _named(some), _hint(some[0], some[0].check if len(some) == 1 else "CHECK"))
        for some in together.values()
    ]
    headers = (msg("Host"), msg("Checks"), msg("What to do"))
    return TableBlock(msg("What could not be found out, and what to do about it"), headers, rows)


def _named(some: Sequence[CheckResult]) -> Message | str:
    names = ", ".join(result.check for result in some[:SHOWN])
    more = len(some) - SHOWN
    return nmsg("{names} and {n} more", "{names} and {n} more", more, names=names) if more > 0 else names


def _find_hint(result: CheckResult) -> Message:
    return _REASONS.get(result.reason, _POLL)


def _hint(result: CheckResult, check: str) -> Message:
    return replace(_find_hint(result), values={"host": _host(result), "check": check})


def _host(result: CheckResult) -> str:
    """Return the host that the answer is about: of a group, the member that it names."""
    member = result.message.values.get("host")
    return member if isinstance(member, str) and "seen" in result.message.values else result.host
