"""What is true of sets after a fault, and whether each command says it.

The truth is found without the verification of portalops: every file that lies on a medium is compared with the manifests of
its bag, as any BagIt tool does. What was in the portal when a set was made is kept by `Portal.run`.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

from backups.unfinished import UNFINISHED
from portalops.errors import ExitCode, MediumUnavailable, PortalOpsError, SetNotFound
from portalops.model.backups import SetId
from portalops.ports import Medium, StoredSet
from tests.backups.kit import keys
from tests.faults.portal import Portal

GONE = {"failed", "disposed"}
"""States of copies that are on no medium."""


class Is(Enum):
    """What a copy is."""

    WHOLE = auto()
    DAMAGED = auto()
    MISSING = auto()
    UNREACHED = auto()


@dataclass(frozen=True)
class Found:
    """One copy, as it lies there."""

    what: Is
    right: frozenset[str] = frozenset()
    """The files that have the digest that the manifests of the whole set give."""


@dataclass
class Truth:
    """What lies on the media right now."""

    portal: Portal
    _found: dict[tuple[SetId, str], Found] = field(default_factory=dict)

    def of(self, set_id: SetId, medium: str) -> Found:
        """Return what a copy is, read once."""
        key = (set_id, medium)
        if key not in self._found:
            self._found[key] = _look(self.portal.media[medium], set_id, self.portal.digests.get(set_id, {}))
        return self._found[key]

    def can_be_restored(self, set_id: SetId, base: SetId | None) -> bool:
        """Say whether every file of a set, and of its base, lies right on some medium."""
        return all(
            set(self.portal.digests[each])
            <= {path for medium in self.portal.media for path in self.of(each, medium).right}
            for each in (set_id, base)
            if each is not None
        )


def _look(medium: Medium, set_id: SetId, digests: Mapping[str, str]) -> Found:
    try:
        if not any(True for _each in medium.sets()):
            return Found(Is.UNREACHED)  # a disk that is not mounted, or another one: it says nothing of the set
        stored = medium.open_set(set_id)
        there = set(stored.sizes())
        right = frozenset(path for path, digest in digests.items() if path in there and _digest(stored, path) == digest)
    except SetNotFound:
        return Found(Is.MISSING)
    except MediumUnavailable:
        return Found(Is.UNREACHED)
    return Found(Is.WHOLE if right == there == set(digests) else Is.DAMAGED, right)


def _digest(stored: StoredSet, path: str) -> str:
    digest = hashlib.sha256()
    try:
        with stored.open(path) as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except PortalOpsError:
        return ""
    return digest.hexdigest()


def check_what_is_said(portal: Portal, what: str, *, names: Collection[str] = ()) -> None:
    """Ask every command that tells of sets, and compare its words with the truth.

    Nobody has read anything since the fault when `restore` and `drill` are asked; `replicate` comes last and mends what it can.

    Args:
        portal: which is asked.
        what: happened before.
        names: of the checks, where not all are wanted.
    """
    for name, check in SAYINGS.items():
        if names and name not in names:
            continue
        try:
            check(portal, Truth(portal))
        except AssertionError as error:
            raise AssertionError(f"{what}: {name}: {error}") from error


def _restore(portal: Portal, truth: Truth) -> None:
    newest = _listed(portal)[-1]
    place = portal.folder / "restored"
    shutil.rmtree(place, ignore_errors=True)
    ended = portal.run(f"backup restore {newest['id']} --to {place} --identity {_key(portal)}")
    (said,) = ended.answers()
    expected = portal.contents[newest["id"]]
    restored = {path.name: path.read_bytes() for path in place.rglob("tin-*")} if place.exists() else {}
    if ended.codes == (ExitCode.OK,):
        assert restored == expected, (said, sorted(restored))
    else:
        assert not truth.can_be_restored(newest["id"], newest["base"]), (ended.codes, said)
        assert restored.items() <= expected.items(), sorted(restored)
        assert not restored or (place / UNFINISHED).exists() or (place / "files" / UNFINISHED).exists(), list(
            place.iterdir()
        )
    for fault in (said["data"] or {}).get("faults", ()):
        assert not fault["damaged"] or truth.of(fault["set"], fault["medium"]).what is not Is.WHOLE, fault


def _drill(portal: Portal, truth: Truth) -> None:
    newest = _listed(portal)[-1]
    ended = portal.run(f"backup drill {newest['id']} --identity {_key(portal)}")
    (said,) = ended.answers()
    for copy in (said["data"] or {}).get("copies", ()):
        _compare(copy, truth)
    if ended.codes == (ExitCode.OK,):
        assert truth.can_be_restored(newest["id"], None), said
    elif not any(copy["state"] == "damaged" for copy in (said["data"] or {}).get("copies", ())):
        needed = (newest["id"], newest["base"] or newest["id"])
        assert any(truth.of(each, medium).what is not Is.WHOLE for each in needed for medium in portal.media), said


def _verify(portal: Portal, truth: Truth) -> None:
    for made in _listed(portal):
        recorded = [copy for copy in made["copies"] if copy["state"] not in GONE]
        ended = portal.run(f"backup verify {made['id']}")
        (said,) = ended.answers()
        if not recorded:
            assert ended.codes == (ExitCode.FAILED,), said
            continue
        assert {copy["medium"] for copy in said["data"]} == {copy["medium"] for copy in recorded}, said
        for copy in said["data"]:
            _compare(copy, truth, is_read=True)
        states = {truth.of(made["id"], copy["medium"]).what for copy in recorded}
        if states & {Is.DAMAGED, Is.MISSING}:
            expected = ExitCode.INTEGRITY
        else:
            is_hidden = any(copy["hidden"] for copy in said["data"])
            expected = ExitCode.PARTIAL if Is.UNREACHED in states or is_hidden else ExitCode.OK
        assert ended.codes == (expected,), (ended.codes, states, said)


def _list(portal: Portal, truth: Truth) -> None:
    """What was found out stays known."""
    for made in _listed(portal):
        for copy in made["copies"]:
            if copy["state"] not in GONE:
                _compare(copy, truth)


def _prune(portal: Portal, truth: Truth) -> None:
    """Nothing goes that a restore needs."""
    before = {made["id"]: made for made in _listed(portal)}
    could = {name: truth.can_be_restored(name, made["base"]) for name, made in before.items()}
    ended = portal.run("backup prune --trust-clock")
    (said,) = ended.answers()
    now = Truth(portal)
    removed = {each["set_id"] for each in (said["data"] or {}).get("removed", ())}
    assert not removed, said
    lost = [name for name, was in could.items() if was and not now.can_be_restored(name, before[name]["base"])]
    assert not lost, (lost, said)


def _replicate(portal: Portal, truth: Truth) -> None:
    ended = portal.run("backup replicate")
    (said,) = ended.answers()
    now = Truth(portal)
    newest = _listed(portal)[-1]
    wanted = [(name, medium) for name in (newest["id"], newest["base"]) if name for medium in portal.media]
    is_done = all(now.of(*each).what is Is.WHOLE for each in wanted)
    seen = {(copy["set"], copy["medium"]): copy for copy in said["data"] or ()}  # each as it was seen last
    for copy in seen.values():
        _compare(copy, now)
    if is_done:
        was_damaged = any(copy["state"] == "damaged" for copy in said["data"])
        assert ended.codes == (ExitCode.INTEGRITY if was_damaged else ExitCode.OK,), (ended.codes, said)
    else:
        assert ended.codes != (ExitCode.OK,), (said, [now.of(*each).what for each in wanted])


SAYINGS: Mapping[str, Callable[[Portal, Truth], None]] = {
    "restore": _restore,
    "drill": _drill,
    "verify": _verify,
    "list": _list,
    "prune": _prune,
    "replicate": _replicate,
    "verify after replicate": _verify,
    "list after replicate": _list,
}


def _compare(copy: Mapping[str, Any], truth: Truth, *, is_read: bool = False) -> None:
    """See that the state of a copy is what it is; one that could not be read keeps its state, and says why."""
    found = truth.of(copy["set"], copy["medium"]).what
    if found is Is.UNREACHED:
        assert copy["state"] == "failed" or not is_read or copy["problem"].startswith("not checked"), (found, copy)
    elif copy["state"] == "verified":
        assert found is Is.WHOLE, (found, copy)
    elif copy["state"] == "damaged":
        assert found in {Is.DAMAGED, Is.MISSING} and copy["problem"], (found, copy)
    else:
        assert copy["state"] in {"sealed", "failed"} and not is_read, (found, copy)


def _listed(portal: Portal) -> list[Any]:
    (answer,) = portal.run("backup list").answers()
    return list(answer["data"])


def _key(portal: Portal) -> Path:
    return keys().file(portal.folder)
