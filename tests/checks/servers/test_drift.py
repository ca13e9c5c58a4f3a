"""What changed between two looks: named with its time and how that is known, unknown where a look lacks it, and placed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checks.servers.attribution import ChangePlace, Placed, placed
from checks.servers.baseline import ApprovedChanges, ChangeWindow
from checks.servers.by_hand import SECTION as BY_HAND
from checks.servers.carried import Original
from checks.servers.comparing import drifts_since, list_complete_answers, read_view, still_open
from checks.servers.drift._kind import HostView
from checks.servers.drifted import Drift, Drifted, KnownBy
from checks.servers.drifting import drift_between, kinds, probes
from checks.servers.gather import parse_answer
from checks.servers.probe import MissingFact, ProbeResult, fact_of
from checks.servers.probes import drift as drift_probe
from portalops.locale import render
from portalops.model.changes import ChangeKind, ChangeOrder
from portalops.model.message import msg
from portalops.model.record import Digest
from tests.checks.servers.looks import (
    BOOT,
    FIRST_AT,
    MACHINE,
    OLD_RUN,
    SECOND_AT,
    SECTIONS,
    answer,
    apt,
    journal,
    kept,
    look,
    stamp,
)

HOUR = timedelta(hours=1)
NOON = FIRST_AT + 11 * HOUR
UPGRADED = SECTIONS["packages.dpkg"].replace("1.26.3-3", "1.28.0-1")
NO_REGISTER = MissingFact("no-register", msg("nothing"))


def between(*, ahead: timedelta = timedelta(0), without: tuple[str, ...] = (), **said: Any) -> Drift:
    return drift_between("web1", look(FIRST_AT, ahead=ahead), look(SECOND_AT, ahead=ahead, without=without, **said))


def told(found: Drift) -> list[tuple[str, str, str | None, str | None]]:
    return [(one.kind, one.name, one.before, one.after) for one in found.changed]


def upgrade(at: datetime = NOON, by: str = "an", **more: Any) -> Drift:
    log = apt(OLD_RUN, (at, at + timedelta(seconds=20), by, "Upgrade nginx"))
    return between(packages__dpkg=UPGRADED, apt__history=log, **more)


def order(
    begins: datetime = NOON - HOUR,
    ends: datetime = NOON + HOUR,
    *,
    approved: datetime | None = FIRST_AT - HOUR,
    kind: ChangeKind = ChangeKind.NORMAL,
    **more: object,
) -> ChangeOrder:
    values: dict[str, object] = {
        "notified_at": approved,
        "notified_seq": 2,
        "approved_at": approved,
        "approved_seq": 3,
        "digest": Digest("ab" * 32),
        "began_at": begins,
    }
    return ChangeOrder("CH-2026-001", kind, begins, ends, 1, **{**values, **more})  # type: ignore[arg-type]  # of the names above


def placing(found: Drift, *orders: ChangeOrder, declared: ApprovedChanges | None = None) -> Placed:
    (one,) = placed(found.changed, declared, orders or NO_REGISTER, runs=found.runs)
    return one


def test_nothing_changed_where_both_looks_say_the_same_and_the_host_lacks_the_rest() -> None:
    found = between()

    assert (found.changed, found.unknown) == ((), ())
    assert (found.after_at, found.before_at) == (FIRST_AT, SECOND_AT)


def test_kind_is_a_file_and_every_probe_of_a_kind_is_looked_at() -> None:
    assert [kind.id for kind in kinds()] == sorted(kind.id for kind in kinds())
    assert {probe.id for kind in kinds() for probe in kind.probes} <= probes().keys()


def test_package_has_the_time_and_the_person_of_the_log() -> None:
    (one,) = upgrade().changed

    assert (one.kind, one.name, one.before, one.after) == ("package", "nginx", "1.26.3-3", "1.28.0-1")
    assert (one.happened_at, one.known_by, one.by) == (NOON, KnownBy.LOG, "an")


def test_each_step_between_two_looks_is_named_also_where_the_end_is_as_the_beginning() -> None:
    log = apt(OLD_RUN, (NOON, NOON, "an", "Downgrade nginx"), (NOON + HOUR, NOON + HOUR, "-", "Upgrade nginx"))

    found = between(apt__history=log)

    assert told(found) == [("package", "nginx", "1.26.3-3", None), ("package", "nginx", None, "1.26.3-3")]
    assert [one.by for one in found.changed] == ["an", "root"]


def test_package_that_no_log_names_lies_between_the_looks() -> None:
    (one,) = between(packages__dpkg=UPGRADED).changed

    assert (one.happened_at, one.known_by) == (None, KnownBy.BETWEEN)
    assert one.span() == (FIRST_AT - 3 * timedelta(minutes=1), SECOND_AT)


def test_log_that_was_rotated_past_the_first_look_leaves_steps_unknown() -> None:
    found = between(packages__dpkg=UPGRADED, apt__history=apt((NOON, NOON, "an", "Upgrade nginx")))

    assert [(one.kind, one.why.reason) for one in found.unknown] == [("package", "log-too-short")]
    assert len(found.changed) == 1


def of_rpm(at: datetime, version: str, installed: datetime) -> HostView:
    seen = look(
        at,
        rpm__history=f"{stamp(installed)} nginx\n",
        packages__rpm=f"nginx\t1\t{version}\t1.el9\tx86_64\tnginx.src.rpm\t(none)\n",
        dnf__sources="main||1\nbaseos|1|1\nend\n",
    )
    gone = MissingFact("command-missing", msg("the host has no apt"))
    return HostView(at, {**seen.found, **dict.fromkeys(("packages.dpkg", "apt.history", "apt.sources"), gone)})


def test_host_of_rpm_tells_by_the_times_of_installation() -> None:
    found = drift_between("web1", of_rpm(FIRST_AT, "1.26", FIRST_AT - HOUR), of_rpm(SECOND_AT, "1.28", NOON))

    (one,) = found.changed
    assert (one.name, one.before, one.after, one.happened_at) == ("nginx", "1:1.26-1.el9", "1:1.28-1.el9", NOON)
    assert found.unknown == ()


CHANGES: dict[str, tuple[dict[str, Any], tuple[str, str, str, str], datetime | None]] = {
    "file": (
        {
            "change__files": SECTIONS["change.files"].replace("0a" * 32, "1a" * 32),
            "change__times": f"{stamp(NOON)}.5 /etc/nginx/nginx.conf\nend\n",
        },
        ("file", "/etc/nginx/nginx.conf", "0a" * 32, "1a" * 32),
        NOON,
    ),
    "account": (
        {
            "acct__passwd": f"{SECTIONS['acct.passwd']}intruder:x:0:0::/:/bin/sh\n",
            "change__files": SECTIONS["change.files"].replace("0b" * 32, "1b" * 32),
            "change__times": f"{stamp(NOON)}.5 /etc/passwd\nend\n",
        },
        ("account", "intruder", "", "0:0 / /bin/sh x"),
        NOON,
    ),
    "password": (
        {"acct__shadow": SECTIONS["acct.shadow"].replace("an|crypt-y", "an|empty")},
        ("password", "an", "crypt-y", "empty"),
        None,
    ),
    "rights": (
        {
            "change__times": f"{stamp(NOON)}.5 {stamp(NOON)}.5 666 root:root /etc/nginx/nginx.conf\n{SECTIONS['change.times'].partition(chr(10))[2]}"
        },
        ("rights", "/etc/nginx/nginx.conf", "644 root:root", "666 root:root"),
        NOON,
    ),
    "privileged-file": (
        {"files__privileged": f"{SECTIONS['files.privileged'][:-4]}id 4755 root:root {stamp(NOON)}.5 /srv/sh\nend\n"},
        ("privileged-file", "/srv/sh", "", "4755 root:root, 2026-11-25T12:00:00Z"),
        NOON,
    ),
    "passing-account": (
        {
            "change__times": SECTIONS["change.times"].replace(
                f"{stamp(FIRST_AT) - 99}.5 {stamp(FIRST_AT) - 99}.5 644 root:root /etc/passwd",
                f"{stamp(NOON)}.5 {stamp(NOON)}.5 644 root:root /etc/passwd",
            ),
            "acct__log": f"{stamp(NOON)} new passing 1001\n{stamp(NOON) + 9} gone passing\nend\n",
        },
        ("passing-account", "passing", "", "uid 1001"),
        NOON,
    ),
    "group": ({"acct__group": "root:0:\nsudo:27:an,binh\n"}, ("group", "sudo", "27: an", "27: an, binh"), None),
    "key": (
        {
            "acct__keys": SECTIONS["acct.keys"]
            .replace("|1|0|", "|2|0|")
            .replace("end", f"key|an|256|SHA256:{'x' * 43}|ED25519\nend")
        },
        ("key", f"an SHA256:{'x' * 43}", "", "ED25519 256"),
        None,
    ),
    "listener": (
        {"net__listeners": f"{SECTIONS['net.listeners']}tcp LISTEN 0 1 0.0.0.0:4444 0.0.0.0:*\n"},
        ("listener", "tcp/4444", "", "0.0.0.0"),
        None,
    ),
    "unit": (
        {
            "systemd__enabled": f"{SECTIONS['systemd.enabled']}x.service enabled enabled\n",
            "change__times": f"{stamp(NOON)}.5 /etc/systemd/system/multi-user.target.wants/x.service\nend\n",
        },
        ("unit", "x.service", "", "enabled"),
        NOON,
    ),
    "cron": ({"change__cron": "end\n"}, ("cron", "/etc/crontab", "0d" * 32, ""), None),
    "repository": (
        {"apt__sources": SECTIONS["apt.sources"].replace("waived", "http://x.example/|x|no\nwaived")},
        ("repository", "http://x.example/ x", "", "unsigned"),
        None,
    ),
    "boot": (
        {"change__boots": journal((BOOT, FIRST_AT - timedelta(days=9)), ("b" * 32, NOON))},
        ("boot", "boot", "", NOON.isoformat()),
        NOON,
    ),
    "cms": (
        {"cms__versions": SECTIONS["cms.versions"].replace("6.8.3", "6.9")},
        ("cms", "wordpress /var/www/portal", "6.8.3", "6.9"),
        None,
    ),
    "schema": (
        {"db__postgresql_schema": f"5432/portal public.news|{'2a' * 32}\nend\n"},
        ("schema", "postgresql 5432/portal public.news", "", "2a" * 32),
        None,
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_change_of_each_kind_is_named_once_with_its_time_where_there_is_one(kind: str) -> None:
    said, expected, at = CHANGES[kind]
    if kind == "cron":
        said = {"change__cron": f"{'0e' * 32}  /etc/cron.d/x\nend\n"}
        found = between(**said)
        assert told(found) == [("cron", "/etc/cron.d/x", "", "0e" * 32), expected]
        return
    found = between(**said)

    assert told(found) == [expected]
    assert found.changed[0].happened_at == at


def test_capabilities_that_a_look_cannot_see_are_unknown_and_not_gone() -> None:
    seen = f"{SECTIONS['files.privileged'][:-4]}/usr/bin/ping cap_net_raw=ep\nend\n"
    unseen = f"capabilities-unseen\n{SECTIONS['files.privileged']}"
    found = drift_between("web1", look(FIRST_AT, files__privileged=seen), look(SECOND_AT, files__privileged=unseen))

    assert found.changed == ()
    assert [one.kind for one in found.unknown] == ["privileged-file"]


def test_day_of_roots_password_is_a_date() -> None:
    found = between(acct__shadow=SECTIONS["acct.shadow"].replace("root|locked|20782", "root|locked|20783"))

    assert told(found) == [("password", "root", "locked 2026-11-25", "locked 2026-11-26")]


@pytest.mark.parametrize("section", [name for name in SECTIONS if name not in {"change.times", "acct.log"}])
def test_what_one_look_lacks_is_unknown_and_never_unchanged(section: str) -> None:
    found = between(without=(section,))

    assert found.changed == ()
    assert found.unknown


REWRITTEN = SECTIONS["change.times"].replace(
    f"{stamp(FIRST_AT) - 99}.5 644 root:root /etc/passwd", "5.5 644 root:root /etc/passwd"
)
REWRITTEN = re.sub(r"\d+\.5 5\.5 644", f"{stamp(NOON)}.5 {stamp(NOON)}.5 644", REWRITTEN)


def test_accounts_file_that_was_written_for_nothing_that_is_seen_is_named() -> None:
    """A line that was put in by hand and taken out again is in no log."""
    found = between(change__times=REWRITTEN)

    assert told(found) == [("passing-account", "/etc/passwd", None, None)]
    assert found.changed[0].happened_at == NOON


def test_accounts_that_came_and_went_are_unknown_without_the_journal_where_the_file_was_written_and_only_there() -> (
    None
):
    assert between(without=("acct.log",)).unknown == ()
    assert [one.kind for one in between(without=("acct.log",), change__times=REWRITTEN).unknown] == ["passing-account"]


def test_weekly_look_leaves_the_time_since_it_was_made() -> None:
    """A file of which no time is seen any more may have gone at any time since the look that showed it."""
    first = replace(look(FIRST_AT), seen_at={"files.privileged": FIRST_AT - timedelta(days=6)})
    second = look(SECOND_AT, files__privileged="end\n")

    (one,) = drift_between("web1", first, second).changed

    assert (one.after_at, one.before_at) == (FIRST_AT - timedelta(days=6), SECOND_AT)


def test_answers_of_before_rights_were_looked_at_leave_them_unknown() -> None:
    old = re.sub(r" \d+\.5 644 root:root", "", SECTIONS["change.times"])

    found = between(change__times=old)

    assert [(one.kind, one.why.reason) for one in found.unknown] == [("rights", "not-gathered")]


def test_host_that_was_set_up_anew_is_named_once() -> None:
    found = between(inventory__identity=f"{'f' * 32}\nweb1\n", packages__dpkg=UPGRADED, acct__group="root:0:\n")

    assert told(found) == [("rebuilt", "web1", MACHINE, "f" * 32)]


def test_host_with_none_of_its_keys_was_set_up_anew() -> None:
    found = between(change__files=SECTIONS["change.files"].replace("0c" * 32, "1c" * 32), acct__group="root:0:\n")

    assert [one.kind for one in found.changed] == ["rebuilt"]


# --- placing ------------------------------------------------------------------------------------


def test_change_in_an_approved_window_falls_under_it_with_both_moments() -> None:
    one = placing(upgrade(), order())

    assert (one.place, one.reference) == (ChangePlace.UNDER, "CH-2026-001")
    assert (one.approved_at, one.drifted.happened_at) == (FIRST_AT - HOUR, NOON)


def test_change_before_its_approval_is_outside_and_the_approval_is_named() -> None:
    one = placing(upgrade(), order(approved=NOON + HOUR / 2))

    assert (one.place, one.reference, one.approved_at) == (ChangePlace.OUTSIDE, "CH-2026-001", NOON + HOUR / 2)
    assert render(one.why, "en") == "CH-2026-001 was approved afterwards, by record 3"


def test_change_that_was_asked_for_and_not_approved_is_outside() -> None:
    assert placing(upgrade(), order(approved=None)).place is ChangePlace.OUTSIDE


def test_approval_without_its_document_is_marked() -> None:
    one = placing(upgrade(), order(digest=None))

    assert (one.place, one.is_proven) == (ChangePlace.UNDER, False)
    assert "--file" in render(one.why, "en")


@pytest.mark.parametrize("reference", ["512/UBND", "CH-2026-001"])
def test_what_the_configuration_alone_approves_is_not_proven_whatever_it_is_called(reference: str) -> None:
    """It may be written there afterwards; and under the name of a change of the register, which was approved too late."""
    window = ChangeWindow(start_at=NOON - HOUR, end_at=NOON + HOUR, reference=reference)
    late = order(approved=NOON + HOUR / 2)

    one = placing(upgrade(), late, declared=ApprovedChanges(since=FIRST_AT - HOUR, windows=(window,)))
    both = placing(upgrade(), order(), declared=ApprovedChanges(since=FIRST_AT - HOUR, windows=(window,)))

    assert (one.place, one.reference, one.is_declared, one.is_proven) == (ChangePlace.UNDER, reference, True, False)
    assert (one.approved_at, render(one.why, "en")) == (
        None,
        "approved by the configuration alone; the decision is not kept",
    )
    assert (both.reference, both.is_declared, both.is_proven) == ("CH-2026-001", False, True)


def test_emergency_that_was_regularised_covers_what_it_did_and_is_shown_as_such() -> None:
    one = placing(upgrade(), order(approved=NOON + 5 * HOUR, kind=ChangeKind.EMERGENCY))

    assert (one.place, one.is_regularised) == (ChangePlace.UNDER, True)


@pytest.mark.parametrize(("by", "place"), [("unattended-upgrade", ChangePlace.UNDER), ("an", ChangePlace.OUTSIDE)])
def test_standing_approval_is_by_package_and_account(by: str, place: ChangePlace) -> None:
    standing = order(
        FIRST_AT - HOUR,
        SECOND_AT + 9 * HOUR,
        kind=ChangeKind.STANDING,
        packages=("ngin*",),
        accounts=("unattended-upgrade",),
    )

    assert placing(upgrade(by=by), standing).place is place


@pytest.mark.parametrize(("seconds", "place"), [(10, ChangePlace.UNDER), (30, ChangePlace.OUTSIDE)])
def test_file_that_was_changed_while_the_package_manager_ran_stands_as_the_run(
    seconds: int, place: ChangePlace
) -> None:
    standing = order(FIRST_AT - HOUR, SECOND_AT + HOUR, kind=ChangeKind.STANDING, packages=("nginx",))
    at = stamp(NOON) + seconds
    found = upgrade(
        change__files=SECTIONS["change.files"].replace("0a" * 32, "1a" * 32),
        change__times=f"{at}.5 /etc/nginx/nginx.conf\nend\n",
    )

    by_kind = {one.drifted.kind: one for one in placed(found.changed, None, (standing,), runs=found.runs)}

    assert by_kind["package"].place is ChangePlace.UNDER
    assert by_kind["file"].place is place


def test_change_without_a_time_falls_under_a_window_only_if_both_looks_are_in_it() -> None:
    found = between(acct__group="root:0:\nsudo:27:an,binh\n")

    assert (
        placing(found, order(FIRST_AT - HOUR, SECOND_AT + HOUR, approved=FIRST_AT - 2 * HOUR)).place
        is ChangePlace.UNDER
    )
    assert placing(found, order()).place is ChangePlace.UNKNOWN
    assert placing(found, order(SECOND_AT + HOUR, SECOND_AT + 2 * HOUR)).place is ChangePlace.OUTSIDE


def test_clock_that_is_off_is_taken_out_and_shown() -> None:
    ahead = timedelta(hours=3)
    log = apt(OLD_RUN, (NOON + ahead, NOON + ahead, "an", "Upgrade nginx"))
    found = between(ahead=ahead, packages__dpkg=UPGRADED, apt__history=log)

    one = placing(found, order())

    assert (one.place, one.drifted.happened_at, one.drifted.ahead_seconds) == (
        ChangePlace.UNDER,
        NOON + ahead,
        3 * 3600,
    )


def test_clock_that_was_set_between_the_looks_leaves_the_windows_edge_unknown() -> None:
    log = apt(OLD_RUN, (NOON, NOON, "an", "Upgrade nginx"))
    before = look(FIRST_AT, ahead=timedelta(minutes=10))
    found = drift_between("web1", before, look(SECOND_AT, packages__dpkg=UPGRADED, apt__history=log))

    assert found.changed[0].unsure_seconds == 605
    assert placing(found, order(NOON - timedelta(minutes=5), NOON + HOUR)).place is ChangePlace.UNKNOWN
    assert placing(found, order(NOON - HOUR, NOON + HOUR)).place is ChangePlace.UNDER


def test_time_that_does_not_lie_between_the_looks_does_not_count() -> None:
    log = apt(OLD_RUN, (FIRST_AT - timedelta(days=3), FIRST_AT - timedelta(days=3), "an", "Upgrade nginx"))

    (one,) = between(packages__dpkg=UPGRADED, apt__history=log).changed

    assert (one.happened_at, one.known_by) == (None, KnownBy.BETWEEN)


def test_register_that_cannot_be_read_makes_the_rest_unknown() -> None:
    unreadable = MissingFact("register-unreadable", msg("record 9 cannot be read"))

    (one,) = placed(upgrade().changed, None, unreadable)

    assert one.place is ChangePlace.UNKNOWN


def test_declared_window_counts_beside_the_register() -> None:
    window = {"start_at": NOON - HOUR, "end_at": NOON + HOUR, "reference": "512/UBND"}
    declared = ApprovedChanges.model_validate({"since": FIRST_AT, "windows": [window]})

    assert placing(upgrade(), declared=declared).reference == "512/UBND"


def edited(at: datetime, written: datetime | None, **more: Any) -> Drift:
    """Return that nginx.conf differs: changed last at a moment, with the time that its content bears."""
    bears = "" if written is None else f" {stamp(written)}.25"
    return between(
        change__files=SECTIONS["change.files"].replace("0a" * 32, "1a" * 32),
        change__times=f"{stamp(at)}.5{bears} /etc/nginx/nginx.conf\nend\n",
        **more,
    )


@pytest.mark.parametrize(
    ("written", "place"),
    [
        (NOON, ChangePlace.UNDER),
        (NOON - HOUR / 2, ChangePlace.UNDER),
        (NOON - 2 * HOUR, ChangePlace.UNKNOWN),  # and its mode was changed in the window
        (FIRST_AT - timedelta(days=4000), ChangePlace.UNKNOWN),  # copied with its time, or set back
        (NOON + timedelta(days=4000), ChangePlace.UNDER),  # set ahead: nothing is told by that
        (None, ChangePlace.UNDER),  # of before that time was looked at
    ],
)
def test_file_whose_content_bears_a_time_of_before_the_window_is_not_clear(
    written: datetime | None, place: ChangePlace
) -> None:
    one = placing(edited(NOON, written), order())

    assert one.place is place
    assert ("may date from" in render(one.why, "en")) is (place is ChangePlace.UNKNOWN)


def test_content_cannot_be_older_than_the_look_that_had_another() -> None:
    (one,) = edited(NOON, FIRST_AT - timedelta(days=4000)).changed

    assert one.written_at == FIRST_AT - 3 * timedelta(minutes=1)
    assert one.span()[0] < FIRST_AT < one.span()[1]


def test_file_that_was_written_before_and_touched_after_the_window_is_not_clear() -> None:
    assert placing(edited(NOON + 2 * HOUR, NOON - 2 * HOUR), order()).place is ChangePlace.UNKNOWN
    assert placing(edited(NOON + 3 * HOUR, NOON + 2 * HOUR), order()).place is ChangePlace.OUTSIDE


def test_package_managers_file_bears_the_time_of_its_package_and_stands_as_the_run() -> None:
    log = apt(OLD_RUN, (NOON, NOON + timedelta(seconds=20), "an", "Upgrade nginx"))
    found = edited(NOON, FIRST_AT - timedelta(days=90), packages__dpkg=UPGRADED, apt__history=log)

    assert [one.place for one in placed(found.changed, None, (order(),), runs=found.runs)] == [ChangePlace.UNDER] * 2
    assert [one.written_at for one in found.changed] == [None, None]


# --- carrying on ----------------------------------------------------------------------------------


def carried(first: Drift, declared: ApprovedChanges | None = None, /, **said: Any) -> Drift:
    """Return what the look after the one that found `first` says."""
    section = drift_probe.section(first)
    held = fact_of(drift_probe.PROBE, section)
    before = look(SECOND_AT, **said)
    kept = type(before)(SECOND_AT, {**before.found, "change.drift": held})
    return still_open("web1", kept, look(SECOND_AT + timedelta(days=1), **said), declared)


def test_change_without_approval_is_carried_on_until_it_is_undone() -> None:
    log = apt(OLD_RUN, (NOON, NOON, "an", "Upgrade nginx"))
    first = between(packages__dpkg=UPGRADED, apt__history=log)

    still = carried(first, packages__dpkg=UPGRADED, apt__history=log)
    undone = carried(first, apt__history=log)

    assert still.changed == first.changed
    assert undone.changed == ()


def test_what_the_configuration_alone_approves_is_told_on_until_changes_are_looked_for_from_a_later_moment_on() -> None:
    """Else the next look would pass, also where the window was written into it after the change."""
    log = apt(OLD_RUN, (NOON, NOON, "an", "Upgrade nginx"))
    first = between(packages__dpkg=UPGRADED, apt__history=log)
    window = ChangeWindow(start_at=NOON - HOUR, end_at=NOON + HOUR, reference="512/UBND")
    declared = ApprovedChanges(since=FIRST_AT, windows=(window,))

    still, later = (
        carried(first, each, packages__dpkg=UPGRADED, apt__history=log)
        for each in (declared, declared.model_copy(update={"since": NOON + HOUR}))
    )

    assert still.changed == first.changed
    assert placing(still, declared=declared).is_declared
    assert later.changed == ()


def test_section_says_the_same_when_it_is_read_again() -> None:
    found = between(packages__dpkg=UPGRADED, acct__group="root:0:\n", without=("cms.versions",))

    assert fact_of(drift_probe.PROBE, drift_probe.section(found)) == found


@pytest.mark.parametrize("text", [b"", b"[]", b'{"drift":7}', b'{"other":{}}'])
def test_section_that_is_out_of_form_is_no_drift(text: bytes) -> None:
    fact = fact_of(drift_probe.PROBE, ProbeResult("change.drift", 0, text, b"", 0))

    assert isinstance(fact, MissingFact)
    assert fact.reason == "unparseable"


def test_name_of_a_host_reaches_no_terminal_unescaped() -> None:
    listing = SECTIONS["change.files"].replace("end", f"{'1f' * 32}  /etc/\x1b[31mx\nend")

    (one,) = between(change__files=listing).changed

    assert "\x1b" not in one.name
    assert isinstance(one, Drifted)
    assert one.span()[1] == datetime(2026, 11, 26, 1, tzinfo=UTC)


# --- what a look lacks ------------------------------------------------------------------------------

DAY = timedelta(days=1)
GROWN = f"{SECTIONS['acct.passwd']}intruder:x:0:0::/:/bin/sh\n"


def chained(*rounds: dict[str, Any], declared: ApprovedChanges | None = None) -> list[Drift]:
    """Return what each look says from the second on, one a day, each held against those before it."""
    past: list[Any] = []
    found: list[Drift] = []
    for number, said in enumerate(rounds):
        at = FIRST_AT + number * DAY
        if past and not said.get("is_part"):
            older = list_complete_answers(reversed(past))
            (stood_in, before) = next(older)
            now = read_view(parse_answer(answer(at, **said)), at)
            found.append(still_open("web1", read_view(before, stood_in.at), now, declared, older))
        if said.pop("is_part", False):
            past.append((Original(at, Digest("ab" * 32)), parse_answer(answer(at, **said))))
        else:
            past.append(kept(at, found[-1] if found else None, **said))
    return found


def test_what_happened_while_a_kind_was_not_seen_is_found_by_the_newest_look_that_has_it() -> None:
    lacking = {"without": ("acct.passwd",)}

    first, second, back, after = chained({}, lacking, lacking, {"acct__passwd": GROWN}, {"acct__passwd": GROWN})

    assert [(one.kind, one.seen_at) for one in first.unknown] == [("account", FIRST_AT), ("passing-account", FIRST_AT)]
    assert [(one.kind, one.seen_at) for one in second.unknown] == [("account", FIRST_AT), ("passing-account", FIRST_AT)]
    assert (told(back), back.unknown) == ([("account", "intruder", "", "0:0 / /bin/sh x")], ())
    assert (back.changed[0].after_at, back.changed[0].before_at) == (FIRST_AT, FIRST_AT + 3 * DAY)
    assert told(after) == told(back)


def test_file_that_was_changed_in_a_run_of_the_gap_stands_as_that_run() -> None:
    log = apt(OLD_RUN, (NOON, NOON + timedelta(seconds=20), "an", "Upgrade nginx"))
    upgraded = {"packages__dpkg": UPGRADED, "apt__history": log}
    files = {
        "change__files": SECTIONS["change.files"].replace("0a" * 32, "1a" * 32),
        "change__times": f"{stamp(NOON)}.5 /etc/nginx/nginx.conf\nend\n",
    }

    _first, back = chained({}, {**upgraded, "without": ("change.files",)}, {**upgraded, **files})

    assert [one.run_at for one in back.changed if one.kind == "file"] == [NOON]
    assert [one.at for one in back.runs] == [NOON]


def test_packages_whose_log_was_not_seen_are_told_once_and_with_the_time_of_the_log() -> None:
    log = apt(OLD_RUN, (NOON, NOON, "an", "Upgrade nginx"))
    blind = {"packages__dpkg": UPGRADED, "without": ("apt.history",)}

    first, back = chained({}, blind, {"packages__dpkg": UPGRADED, "apt__history": log})

    assert [(one.name, one.happened_at) for one in first.changed] == [("nginx", None)]
    assert [(one.name, one.happened_at, one.by) for one in back.changed] == [("nginx", NOON, "an")]


def test_kind_that_no_look_ever_had_is_unknown_once_and_nothing_is_searched_for() -> None:
    schema = {"db__postgresql_schema": f"5432/portal public.news|{'2a' * 32}\nend\n"}
    asleep = {"without": ("db.postgresql-schema",), **schema}

    first, begins, then = chained(asleep, asleep, schema, schema)

    assert [(one.kind, one.seen_at) for one in first.unknown] == [("schema", None)]
    assert [(one.kind, one.seen_at, one.gap_to) for one in begins.unknown] == [("schema", None, None)]
    assert (then.changed, then.unknown) == ((), ())


def test_host_that_was_set_up_anew_while_it_was_not_seen_which_it_is_is_named() -> None:
    _first, back = chained({}, {"without": ("inventory.identity",)}, {"inventory__identity": f"{'f' * 32}\nweb1\n"})

    assert told(back) == [("rebuilt", "web1", MACHINE, "f" * 32)]


def test_nothing_of_the_host_before_is_held_against_one_that_was_set_up_anew() -> None:
    anew = {"inventory__identity": f"{'f' * 32}\nweb1\n"}

    first, back = chained({}, {**anew, "without": ("acct.passwd",)}, {**anew, "acct__passwd": GROWN})

    assert [one.kind for one in first.changed] == ["rebuilt"]
    assert [one.kind for one in back.changed] == ["rebuilt"]


def gap() -> tuple[Drift, Drift]:
    """Return what two looks say after a gap whose other end is not to be read any more."""
    lacking = chained({}, {"without": ("acct.passwd",)})[0]
    _stood_in, before = kept(SECOND_AT, lacking, without=("acct.passwd",))
    back = still_open("web1", read_view(before, SECOND_AT), look(SECOND_AT + DAY), None, ())
    _stood_in, then = kept(SECOND_AT + DAY, back)
    return back, still_open("web1", read_view(then, SECOND_AT + DAY), look(SECOND_AT + 2 * DAY), None, ())


def test_gap_whose_other_end_is_not_to_be_read_any_more_is_told_on() -> None:
    back, then = gap()

    for found in (back, then):
        one, other = found.unknown
        assert other.kind == "passing-account"
        assert (one.kind, one.why.reason, one.seen_at, one.gap_to) == (
            "account",
            "not-compared",
            FIRST_AT,
            SECOND_AT + DAY,
        )


def test_gap_is_told_until_changes_are_looked_for_from_a_later_moment_on() -> None:
    back, _then = gap()
    _stood_in, before = kept(SECOND_AT + DAY, back)
    later = ApprovedChanges.model_validate({"since": SECOND_AT + 2 * DAY})

    found = still_open("web1", read_view(before, SECOND_AT + DAY), look(SECOND_AT + 3 * DAY), later, ())

    assert found.unknown == ()


def test_look_that_was_held_against_none_carries_nothing_on_and_is_passed_over() -> None:
    part = {"is_part": True, "without": ("change.files", "acct.group")}

    opened, still = chained({}, {"acct__passwd": GROWN}, part, {"acct__passwd": GROWN})

    assert told(still) == told(opened)
    assert still.unknown == ()


def test_look_that_a_person_brought_is_passed_over_and_loses_nothing() -> None:
    opened = chained({}, {"acct__passwd": GROWN})[0]
    _original, raw = kept(SECOND_AT, opened, acct__passwd=GROWN)
    brought = replace(raw, sections={**raw.sections, BY_HAND: ProbeResult(BY_HAND, 0, b"{}", b"", 0)})
    past = [(Original(SECOND_AT + DAY, Digest("ab" * 32)), brought), kept(SECOND_AT, opened, acct__passwd=GROWN)]

    assert [stood_in.at for stood_in, _answer in list_complete_answers(past)] == [SECOND_AT]


def test_section_of_before_gaps_were_told_reads_as_it_was_written() -> None:
    found = between(without=("acct.passwd",))
    old = drift_probe.section(found).stdout.replace(b'"gap_to":null,', b"").replace(b'"seen_at":null,', b"")

    assert b"gap_to" not in old
    assert fact_of(drift_probe.PROBE, ProbeResult("change.drift", 0, old, b"", 0)) == found


def test_all_looks_of_a_time_bridge_what_one_of_them_lacks() -> None:
    looks = [
        look(FIRST_AT + 2 * DAY, acct__passwd=GROWN),
        look(FIRST_AT + DAY, without=("acct.passwd",)),
        look(FIRST_AT),
    ]

    within = drifts_since("web1", looks, FIRST_AT)
    bridged_before_it = drifts_since("web1", looks, FIRST_AT + DAY)

    assert [told(one) for one in within] == [[], [("account", "intruder", "", "0:0 / /bin/sh x")]]
    assert [len(one.unknown) for one in within] == [2, 0]
    assert told(bridged_before_it[-1]) == told(within[-1])
