"""The register of credentials, folded: who knows what, what is late, and which record made it so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portalops.model.credentials import (
    Credential,
    CredentialHandOver,
    CredentialKind,
    CredentialReturn,
    CredentialRotation,
    Leaving,
)
from portalops.model.message import Message, msg
from portalops.registers.credentials import (
    ADDED,
    CORRECTED,
    HANDED_OVER,
    LEFT,
    RETURNED,
    ROTATED,
    Body,
    CredentialRegister,
    fold_credentials,
)

AT = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
DAY = AT.date()
KINDS: dict[type, str] = {
    Credential: ADDED,
    CredentialRotation: ROTATED,
    CredentialHandOver: HANDED_OVER,
    CredentialReturn: RETURNED,
    Leaving: LEFT,
}
AN, BINH, CHI = "nguyen-van-an", "tran-thi-binh", "le-van-chi"


def folded(*steps: Body | tuple[str, Body] | tuple[str, str, Message]) -> CredentialRegister:
    """A register of these records, numbered from 1, one an hour."""
    rows: list[tuple[int, datetime, str, str, Body | Message]] = []
    for number, step in enumerate(steps, 1):
        at = AT + timedelta(hours=number)
        if isinstance(step, tuple) and len(step) == 3:
            rows.append((number, at, step[0], step[1], step[2]))
            continue
        kind, body = step if isinstance(step, tuple) else (KINDS[type(step)], step)
        rows.append((number, at, kind, body.person if isinstance(body, Leaving) else body.id, body))
    return fold_credentials(rows)


def one(
    name: str = "web1-root", holder: str = AN, deputy: str = BINH, *, made: date | None = DAY, system: str = "host:web1"
) -> Credential:
    kind = CredentialKind.PASSWORD
    return Credential(name, system, "root", kind, holder, deputy, "safe", made, made, None)


def knowers(register: CredentialRegister, name: str = "web1-root") -> list[str]:
    return [each.person for each in register.credentials[name].knowers]


def test_each_state_names_the_record_that_made_it_so() -> None:
    register = folded(
        one(),
        CredentialRotation("web1-root", DAY, DAY + timedelta(days=30)),
        CredentialHandOver("web1-root", DAY, holder=CHI),
        CredentialReturn("web1-root", DAY, BINH),
    )

    held = register.credentials["web1-root"]

    assert (held.secret_seq, held.custody_seq, held.returned_seq) == (2, 3, 4)
    assert held.seqs == (2, 3, 4)
    assert [step.seq for step in held.steps] == [1, 2, 3, 4]
    assert (held.credential.holder, held.credential.deputy, held.is_active) == (CHI, BINH, False)


def test_whoever_handed_it_over_knows_it_until_it_is_changed() -> None:
    steps: list[Body] = [one(), CredentialHandOver("web1-root", DAY, holder=CHI), Leaving(AN, DAY)]

    before = folded(*steps)
    after = folded(*steps, CredentialRotation("web1-root", DAY, DAY))

    assert [each.id for each in before.known_to(AN)] == ["web1-root"]
    assert [each.person for each in before.leavers_of(before.credentials["web1-root"])] == [AN]
    assert after.known_to(AN) == ()
    assert knowers(after) == [CHI, BINH]


def test_a_change_dated_before_a_correction_of_who_holds_it_takes_it_from_nobody() -> None:
    issued = DAY - timedelta(days=9)
    steps: list[Body | tuple[str, Body]] = [
        one(made=issued),
        (CORRECTED, one(holder=CHI, made=issued)),
        Leaving(AN, DAY),
    ]
    back = CredentialRotation("web1-root", DAY - timedelta(days=5), DAY)
    handed_over = CredentialHandOver("web1-root", DAY - timedelta(days=6), holder=CHI)

    assert knowers(folded(*steps, back)) == [AN, BINH, CHI]
    assert knowers(folded(*steps, handed_over, back)) == [AN, BINH, CHI]
    assert knowers(folded(*steps, replace(back, rotated_on=DAY))) == [CHI, BINH]


def test_what_is_added_again_unchanged_is_known_to_whoever_knew_it() -> None:
    issued = DAY - timedelta(days=9)
    steps: list[Body] = [one(made=issued), Leaving(AN, DAY), CredentialReturn("web1-root", DAY, BINH)]
    anew = one(holder=BINH, deputy="", made=issued)

    assert knowers(folded(*steps, anew)) == [AN, BINH]
    assert knowers(folded(*steps, replace(anew, id="web1-root-2")), "web1-root-2") == [AN, BINH]
    assert knowers(folded(*steps, replace(anew, issued_on=DAY, rotated_on=DAY))) == [BINH]
    assert knowers(folded(*steps, replace(anew, account="an"))) == [BINH]


def test_key_that_is_added_again_is_the_same_by_its_fingerprint() -> None:
    issued = DAY - timedelta(days=9)
    key = replace(one(made=issued), kind=CredentialKind.KEY, fingerprint="SHA256:a")
    steps: list[Body] = [key, CredentialReturn("web1-root", DAY, BINH)]

    assert knowers(folded(*steps, replace(key, id="k2", holder=CHI)), "k2") == [AN, BINH, CHI]
    assert knowers(folded(*steps, replace(key, id="k2", holder=CHI, fingerprint="SHA256:b")), "k2") == [CHI, BINH]


def test_a_change_dated_before_the_hand_over_takes_it_from_nobody() -> None:
    later = DAY + timedelta(days=3)
    register = folded(
        one(), CredentialHandOver("web1-root", later, holder=CHI), CredentialRotation("web1-root", DAY, later)
    )

    assert knowers(register) == [AN, BINH, CHI]


def test_a_change_by_the_one_who_leaves_does_not_free_it() -> None:
    register = folded(one(), Leaving(AN, DAY), CredentialRotation("web1-root", DAY, DAY))

    assert [each.id for each in register.known_to(AN)] == ["web1-root"]


def test_a_deputy_who_becomes_the_holder_is_no_deputy_any_more() -> None:
    held = folded(one(), CredentialHandOver("web1-root", DAY, holder=BINH)).credentials["web1-root"]

    assert (held.credential.holder, held.credential.deputy) == (BINH, "")
    assert held.lacks == ("deputy",)


def test_a_person_has_left_from_their_last_day_on() -> None:
    register = folded(one(), Leaving(AN, DAY))

    assert register.has_left(AN.upper(), DAY)
    assert not register.has_left(AN, DAY - timedelta(days=1))
    assert not register.has_left(BINH, DAY)


def test_what_was_returned_need_not_be_returned_again() -> None:
    register = folded(one(), CredentialReturn("web1-root", DAY, BINH), Leaving(AN, DAY))

    assert register.known_to(AN) == ()
    assert not register.credentials["web1-root"].is_overdue(DAY + timedelta(days=999))


def test_leaving_that_is_taken_back_counts_no_more() -> None:
    register = folded(one(), Leaving(AN, DAY), Leaving(AN, None, "came back"))

    assert register.left == ()


def test_correction_stands_in_the_place_of_what_it_corrects_and_hides_nobody() -> None:
    register = folded(one(), (CORRECTED, one(holder=CHI)))

    held = register.credentials["web1-root"]

    assert (held.credential.holder, held.custody_seq, held.secret_seq) == (CHI, 2, 1)
    assert knowers(register) == [AN, BINH, CHI]


def test_a_change_is_due_by_what_was_said_and_by_no_later_than_its_kind_allows() -> None:
    asked = folded(one(), CredentialRotation("web1-root", DAY, DAY + timedelta(days=10))).credentials["web1-root"]
    forged = folded(one(), CredentialRotation("web1-root", DAY, DAY + timedelta(days=900))).credentials["web1-root"]

    assert asked.due_on == DAY + timedelta(days=10)
    assert forged.due_on == DAY + timedelta(days=60)
    assert not asked.is_overdue(DAY + timedelta(days=10))
    assert asked.is_overdue(DAY + timedelta(days=11))
    assert folded(one(made=None)).credentials["web1-root"].due_on is None
    assert folded(one(made=date.max)).credentials["web1-root"].due_on == date.max


def test_records_that_fit_nothing_change_nothing_and_are_told() -> None:
    register = folded(
        CredentialRotation("nobody", DAY, DAY),
        one(),
        one(holder=CHI),
        CredentialReturn("web1-root", DAY, BINH),
        CredentialReturn("web1-root", DAY, CHI),
    )

    assert register.unfitting == (1, 3, 5)
    assert register.credentials["web1-root"].credential.holder == AN


def test_what_cannot_be_read_is_unknown_until_a_whole_record_stands_in_its_place() -> None:
    lost = (ROTATED, "web1-root", msg("gone"))
    register = folded(one(), one("db1-root", system="host:db1"), lost)
    mended = folded(one(), lost, (CORRECTED, one()))

    assert register.unreadable == {"web1-root": (3,)}
    assert register.unreadable_for("web1", ("web1", "db1")) == (3,)
    assert register.unreadable_for("db1", ("web1", "db1")) == ()
    assert folded((ADDED, "x", msg("gone"))).unreadable_for("db1", ("web1", "db1")) == (1,)
    assert mended.unreadable == {}


def test_a_leaving_whose_details_were_erased_still_counts() -> None:
    register = folded(one(), (LEFT, AN, msg("erased")))

    assert [each.id for each in register.known_to(AN)] == ["web1-root"]
    assert register.left_of(AN) is not None


people = st.sampled_from([AN, BINH, CHI])
days = st.integers(0, 20).map(lambda number: DAY + timedelta(days=number))
names = st.sampled_from(["web1-root", "db1-root"])
bodies = st.one_of(
    st.builds(one, names, people, people, made=days),
    st.builds(CredentialRotation, names, days, days),
    st.builds(CredentialHandOver, names, days, people, st.just(""), st.just("")),
    st.builds(CredentialReturn, names, days, people),
    st.builds(Leaving, people, st.one_of(st.none(), days)),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(bodies, max_size=12))
def test_holder_and_deputy_always_know_it_and_nobody_forgets_but_by_a_change(steps: list[Body]) -> None:
    before: CredentialRegister | None = None
    for number in range(1, len(steps) + 1):
        register = folded(*steps[:number])
        for name, held in register.credentials.items():
            known = set(knowers(register, name))
            assert {held.credential.holder, held.credential.deputy} - {""} <= known
            earlier = before.credentials.get(name) if before else None
            if earlier is not None and not isinstance(steps[number - 1], (CredentialRotation, Credential)):
                assert {each.person for each in earlier.knowers} <= known
        before = register


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(bodies, max_size=12))
def test_every_record_changes_its_credential_or_is_told_as_unfitting(steps: list[Body]) -> None:
    register = folded(*steps)

    told = [step.seq for held in register.credentials.values() for step in held.steps]
    leavings = [number for number, step in enumerate(steps, 1) if isinstance(step, Leaving)]
    assert sorted([*told, *register.unfitting, *leavings]) == list(range(1, len(steps) + 1))


def test_what_is_said_of_its_use_names_its_own_record() -> None:
    before = one()
    moved = replace(before, place="két sắt", reason="left out")
    register = folded(
        before, (CORRECTED, moved), (CORRECTED, replace(moved, mfa=True)), CredentialRotation(before.id, DAY, DAY)
    )

    assert folded(before, (CORRECTED, moved)).credentials[before.id].use_seq == 1
    assert register.credentials[before.id].use_seq == 3
