"""Bundles in which one thing is a lie and everything else is made to fit, signed with the real key.

Each lie is one that a single check of `verify.py` sees: without that check the bundle would hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from portalops.ledger.heads import parse_head, text_of
from portalops.model.heads import Head
from portalops.signatures.sshsig import SigningKey, sign
from tests.ledger.bundle.bundles import key_of
from tests.verifier.scene import Tampered, by_portalops, chained, full, stamped, today, verify_py, written

REAL, STRANGER = key_of(2), key_of(66)
Lie = Callable[[Tampered], None]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lies")
    full(folder / "state").export(folder / "bundle")
    return folder / "bundle"


def relate(bundle: Tampered, *, key: SigningKey = REAL) -> None:
    """Make bundle.json and the sums fit what the bundle is now, and sign them."""
    bundle.describe()
    bundle.sum_up(sign_it=False)
    data = (bundle.folder / "SHA256SUMS").read_bytes()
    (bundle.folder / "SHA256SUMS.sig").write_text(sign(data, key, "portalops-bundle"))


def change_line(place: int, **values: object) -> Lie:
    """Change a record, chain everything behind it anew."""

    def lie(bundle: Tampered) -> None:
        lines = bundle.lines()
        at = place % len(lines)
        lines[at] = written(json.loads(lines[at]) | values)[:-1]
        bundle.set_lines([*chained(lines[: at + 1], at + 1), *lines[at + 1 :]])
        relate(bundle)

    return lie


def newest_head(change: Callable[[Head, Head], Head], *, by: SigningKey = REAL, purpose: str = "portalops-head") -> Lie:
    """Change what the newest head says, with its record, its details and its files."""

    def lie(bundle: Tampered) -> None:
        lines = bundle.lines()
        old = [json.loads(line) for line in lines if b'"kind":"head"' in line]
        one, other = (json.loads((bundle.folder / "blobs" / each["body"]).read_bytes()) for each in old[-2:])
        before, head = (parse_head(each["head"]["text"].encode()) for each in (one, other))
        text = text_of(change(head, before))
        for suffix in ("txt", "sig"):
            (bundle.folder / "heads" / f"{head.size:010d}.{suffix}").unlink()
        other["head"] = {"text": text, "signature": sign(text.encode(), by, purpose)}
        blob = written(other)
        digest = hashlib.sha256(blob).hexdigest()
        (bundle.folder / "blobs" / old[-1]["body"]).unlink()
        (bundle.folder / "blobs" / digest).write_bytes(blob)
        stem = bundle.folder / "heads" / f"{parse_head(text.encode()).size:010d}"
        stem.with_suffix(".txt").write_text(text)
        stem.with_suffix(".sig").write_text(other["head"]["signature"])
        lines[-1] = written(old[-1] | {"body": digest})[:-1]
        bundle.set_lines(lines)
        relate(bundle)

    return lie


def edit(name: str, change: Callable[[dict[str, Any]], object]) -> Lie:
    def lie(bundle: Tampered) -> None:
        bundle.edit_json(name, lambda held: (change(held), None)[1])
        bundle.sum_up(sign_it=True)

    return lie


def append(**values: object) -> Lie:
    """Put a further record behind the newest head."""

    def lie(bundle: Tampered) -> None:
        lines = bundle.lines()
        lines.append(written(json.loads(lines[-1]) | values)[:-1])
        bundle.set_lines(chained(lines, len(lines) - 1))
        relate(bundle)

    return lie


def unlisted(bundle: Tampered) -> None:
    (bundle.folder / "report.fr.html").write_text("<p>Tất cả đều đạt.</p>")


def foreign(bundle: Tampered) -> None:
    (bundle.folder / "sitecustomize.py").write_text("")
    bundle.sum_up(sign_it=True)


def out_of_order(bundle: Tampered) -> None:
    lines = (bundle.folder / "SHA256SUMS").read_bytes().splitlines(keepends=True)
    data = b"".join((*lines[1:], lines[0]))
    (bundle.folder / "SHA256SUMS").write_bytes(data)
    (bundle.folder / "SHA256SUMS.sig").write_text(sign(data, REAL, "portalops-bundle"))


def without_its_last_line_feed(bundle: Tampered) -> None:
    path = bundle.folder / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    bundle.sum_up(sign_it=True)


def without_head(bundle: Tampered) -> None:
    """Everything that was signed is taken out of the records."""
    lines = bundle.lines()
    bundle.set_lines(chained([line for line in lines if b'"kind":"head"' not in line], 0))
    for path in (bundle.folder / "heads").iterdir():
        path.unlink()
    relate(bundle)


def head_of_no_record(bundle: Tampered) -> None:
    text = next((bundle.folder / "heads").glob("*.txt")).read_text().replace("size ", "size 9")
    (bundle.folder / "heads" / f"{parse_head(text.encode()).size:010d}.txt").write_text(text)
    bundle.sum_up(sign_it=True)


def another_signature_beside_the_head(bundle: Tampered) -> None:
    path = max((bundle.folder / "heads").glob("*.txt"))
    path.with_suffix(".sig").write_text(sign(path.read_bytes(), STRANGER, "portalops-head"))
    bundle.sum_up(sign_it=True)


def a_stranger_among_the_signers(bundle: Tampered) -> None:
    path = bundle.folder / "allowed_signers"
    path.write_text(path.read_text() + path.read_text().split("\n")[0].rsplit(" ", 2)[0] + f" {STRANGER.public_key}\n")
    bundle.sum_up(sign_it=True)


def sums_signed_by_a_stranger(bundle: Tampered) -> None:
    relate(bundle, key=STRANGER)


def a_withheld(kind: str) -> Lie:
    """Leave out the details of a record and say that they are withheld."""

    def lie(bundle: Tampered) -> None:
        line = next(line for line in bundle.lines() if b'"kind":"%s"' % kind.encode() in line)
        digest = json.loads(line)["body"]
        (bundle.folder / "blobs" / digest).unlink()
        reason = {"digest": digest, "reason": "personal data"}

        def withhold(held: dict[str, Any]) -> None:
            others = [each for each in held["withheld"] if each["digest"] != digest]
            held["withheld"] = sorted([*others, reason], key=lambda each: str(each["digest"]))

        edit("bundle.json", withhold)(bundle)

    return lie


def better_figures(held: dict[str, Any]) -> None:
    held["backups"]["verified_copies"] += 1


HOUR = timedelta(hours=1)
LIES: dict[str, tuple[Lie, str]] = {
    "a file that no list names": (unlisted, "is not listed in SHA256SUMS"),
    "a file that does not belong there": (foreign, "does not belong here"),
    "a list in another order": (out_of_order, "not in order"),
    "a last line that does not end": (without_its_last_line_feed, "does not end in a line feed"),
    "another last digest": (
        edit("bundle.json", lambda held: held.update(head="ab" * 32)),
        "is not the last record",
    ),
    "a further record": (
        edit(
            "bundle.json",
            lambda held: held.update(records=held["records"] - 1, blobs={"first": 1, "last": held["records"] - 1}),
        ),
        "was added after the last record",
    ),
    "another ledger's name": (
        edit("bundle.json", lambda held: held.update(ledger="ab" * 16)),
        "names a different ledger",
    ),
    "a time that goes back": (change_line(-1, at="2020-01-01T00:00:00.000Z"), "earlier than the record before"),
    "a record that does not join": (change_line(-1, prev="ab" * 32), "was chained to"),
    "another number": (change_line(-1, seq=99999), "record 99999 is stored as number"),
    "a second beginning": (change_line(-1, kind="ledger.created"), "begins with ledger.created, once"),
    "no head at all": (without_head, "the bundle is not signed"),
    "a record behind the newest head": (append(kind="note"), "not covered by a head"),
    "a head that follows another": (
        newest_head(lambda head, _before: replace(head, previous=head.digest)),
        "does not follow the previous head",
    ),
    "a head no larger than the one before": (
        newest_head(lambda head, before: replace(head, size=before.size, digest=before.digest)),
        "its size does not lie between",
    ),
    "a head of the future": (
        newest_head(lambda head, _before: replace(head, at=head.at + 9000 * HOUR)),
        "its time does not lie between",
    ),
    "a head of the past": (
        newest_head(lambda head, _before: replace(head, at=head.at - HOUR)),
        "its time does not lie between",
    ),
    "a head of another ledger": (
        newest_head(lambda head, _before: replace(head, ledger="ab" * 16)),
        "it belongs to another ledger",
    ),
    "a head over something else": (
        newest_head(lambda head, before: replace(head, digest=before.digest)),
        "were rewritten",
    ),
    "a head by a stranger": (
        newest_head(lambda head, _before: head, by=STRANGER),
        "was not valid in the ledger at that time",
    ),
    "a head that was signed as something else": (
        newest_head(lambda head, _before: head, purpose="portalops-set"),
        "made for another purpose",
    ),
    "a head of no record": (head_of_no_record, "belongs to no head in the records"),
    "another signature beside a head": (another_signature_beside_the_head, "is not the head in record"),
    "a stranger among the signers": (a_stranger_among_the_signers, "contradicts the records"),
    "a withheld head": (a_withheld("head"), "may not be withheld"),
    "a withheld key": (a_withheld("key.retired"), "may not be withheld"),
    "a withheld sign-off": (a_withheld("sign-off"), "may not be withheld"),
    "sums signed by a stranger": (sums_signed_by_a_stranger, "was not valid in the ledger"),
    "better figures": (edit("figures.json", better_figures), "does not equal what is computed from the records"),
}


@pytest.mark.parametrize("name", LIES)
def test_each_lie_is_told_by_the_check_that_is_for_it(original: Path, tmp_path: Path, name: str) -> None:
    lie, words = LIES[name]
    bundle = Tampered(original, tmp_path / "bundle", REAL)
    lie(bundle)

    check = verify_py().Check(str(bundle.folder), [], None)

    said = [fault.en for _seq, fault in check.faults]
    assert any(words in each for each in said), said
    assert not by_portalops(bundle.folder)[0].holds


def test_a_bundle_that_is_only_signed_anew_holds(original: Path, tmp_path: Path) -> None:
    """Whatever is told above is told of the lie, and not of the way in which the bundle was made to fit."""
    bundle = Tampered(original, tmp_path / "bundle", REAL)
    newest_head(lambda head, _before: head)(bundle)
    relate(bundle)

    assert verify_py().Check(str(bundle.folder), [], None).faults == []


def test_a_time_stamp_of_another_head_is_told(tmp_path: Path) -> None:
    """A real token, put beside a head that the authority never saw."""
    made, _token = stamped(tmp_path / "state", tmp_path / "tsa")
    made.export(tmp_path / "original", period=today())
    bundle = Tampered(tmp_path / "original", tmp_path / "bundle", made.key)
    (token,) = (bundle.folder / "heads").glob("*.tsr")
    sizes = sorted(path.stem for path in (bundle.folder / "heads").glob("*.txt"))
    other = next(size for size in sizes if size != token.name.split(".")[0])
    token.rename(token.with_name(token.name.replace(token.name.split(".")[0], other)))
    bundle.sum_up(sign_it=True)

    said = [fault.en for _seq, fault in verify_py().Check(str(bundle.folder), [], None).faults]

    assert any("is a time stamp of something else" in each for each in said), said
    assert not by_portalops(bundle.folder)[0].holds
