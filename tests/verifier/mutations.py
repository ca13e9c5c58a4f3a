"""Ways to tamper with a bundle, each chosen by one number."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tests.verifier.scene import Tampered, chained, written

Mutation: TypeAlias = Callable[[Tampered, random.Random], None]

LOOSE = ("report.", "HOW-TO-VERIFY", "verify.html", "verify.py", "tsa/")
"""Files that nothing but the signed list speaks of: whoever holds the key can replace them."""


def _flip(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _duplicate(data: bytes, chance: random.Random) -> bytes:
    first, last = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:last] + data[first:]


def _swap(data: bytes, chance: random.Random) -> bytes:
    a, b, c = sorted(chance.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _delete(data: bytes, chance: random.Random) -> bytes:
    first, last = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + data[last:]


def _insert(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice([b"\n", b" ", b"\0", b"\xed\xa0\x80", b"\x1b[2J", b"9" * 50]) + data[place:]


BYTES = {"flip": _flip, "cut": _cut, "duplicate": _duplicate, "swap": _swap, "delete": _delete, "insert": _insert}


def _of_file(change: Callable[[bytes, random.Random], bytes]) -> Mutation:
    def mutate(bundle: Tampered, chance: random.Random) -> None:
        # Half of the time a file that the deeper points speak of; there are many more blobs than others.
        names = [name for name in bundle.names() if chance.random() < 0.5 or not name.startswith("blobs/")]
        path = bundle.folder / chance.choice(names)
        data = path.read_bytes()
        if data:
            path.write_bytes(change(data, chance))

    return mutate


def remove_file(bundle: Tampered, chance: random.Random) -> None:
    (bundle.folder / chance.choice(bundle.names())).unlink()


def swap_files(bundle: Tampered, chance: random.Random) -> None:
    names = bundle.names()
    folder = chance.choice(["blobs/", "heads/", ""])
    one, other = (
        bundle.folder / name for name in chance.sample([name for name in names if name.startswith(folder)], 2)
    )
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def add_file(bundle: Tampered, chance: random.Random) -> None:
    data = chance.randbytes(20)
    names = [f"blobs/{hashlib.sha256(data).hexdigest()}", "heads/0000000777.txt", "heads/0000000003.x.tsr", "notes.txt"]
    path = bundle.folder / chance.choice(names)
    if not path.exists():
        path.write_bytes(data)


def put_something_else(bundle: Tampered, chance: random.Random) -> None:
    """Put a link, a pipe or a folder in a file's place."""
    path = bundle.folder / chance.choice(
        [name for name in bundle.names() if name.startswith(("blobs/", "heads/", "fig"))]
    )
    data = path.read_bytes()
    path.unlink()
    match chance.randrange(3):
        case 0:
            (bundle.folder.parent / "elsewhere").write_bytes(data)
            path.symlink_to(bundle.folder.parent / "elsewhere")
        case 1:
            os.mkfifo(path)
        case _:
            path.mkdir()


EDITS: Mapping[str, tuple[object, ...]] = {
    "at": ("2026-11-24T01:00:00.000Z", "2027-01-01T00:00:00.000Z", "2026-02-30T01:00:00.000Z"),
    "body": ("0" * 64, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "no digest"),
    "duty": ("10.2", "x" * 501, 'with "quotes" and \\'),
    "kind": ("note.added", "backup.finished", "ledger.created", "head", "sign-off", "plan", "Not.A.Kind"),
    "prev": ("0" * 64, "f" * 64),
    "run": ("12.4-testing:daily-check:2026-11-25", "a\u0301", "e\x1b[31m"),
    "seq": (1, 2, 17, 10**17, 0, -1),
    "subject": ("web1", "weekly-backup", "\ud800"),
    "v": (1, 2, True),
}


def _edited(line: bytes, chance: random.Random) -> bytes:
    fields = json.loads(line)
    name = chance.choice(sorted(EDITS))
    fields[name] = chance.choice(EDITS[name])
    return written(fields)[:-1]


def edit_record(bundle: Tampered, chance: random.Random) -> None:
    lines = bundle.lines()
    place = chance.randrange(len(lines))
    lines[place] = _edited(lines[place], chance)
    bundle.set_lines(lines)


def drop_record(bundle: Tampered, chance: random.Random) -> None:
    lines = bundle.lines()
    del lines[chance.randrange(len(lines))]
    bundle.set_lines(lines)


def drop_record_and_say_so(bundle: Tampered, chance: random.Random) -> None:
    drop_record(bundle, chance)
    bundle.describe()


def swap_records(bundle: Tampered, chance: random.Random) -> None:
    lines = bundle.lines()
    one, other = chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    bundle.set_lines(lines)


def duplicate_record(bundle: Tampered, chance: random.Random) -> None:
    lines = bundle.lines()
    place = chance.randrange(len(lines))
    lines.insert(place + 1, lines[place])
    bundle.set_lines(lines)
    if chance.random() < 0.5:
        bundle.describe()


def _new_record(lines: list[bytes], place: int, chance: random.Random) -> bytes:
    """Return a record that joins the one before the place."""
    fields = json.loads(lines[place - 1])
    fields |= {"kind": chance.choice(["note.added", "backup.finished", "plan", "head"]), "run": "", "seq": place + 1}
    fields["prev"] = hashlib.sha256(lines[place - 1]).hexdigest()
    return written(fields)[:-1]


def insert_joined(bundle: Tampered, chance: random.Random) -> None:
    lines = bundle.lines()
    place = chance.randrange(1, len(lines) + 1)
    lines.insert(place, _new_record(lines, place, chance))
    bundle.set_lines(lines)
    if chance.random() < 0.5:
        bundle.describe()


def insert_and_chain_anew(bundle: Tampered, chance: random.Random) -> None:
    lines = bundle.lines()
    place = chance.randrange(1, len(lines))
    lines.insert(place, _new_record(lines, place, chance))
    bundle.set_lines(chained(lines, place))
    bundle.describe()


def edit_and_chain_anew(bundle: Tampered, chance: random.Random) -> None:
    lines = bundle.lines()
    place = chance.randrange(len(lines))
    fields = json.loads(lines[place])
    name = chance.choice(["duty", "subject", "run", "body"])
    fields[name] = chance.choice(EDITS[name][:2])
    lines[place] = written(fields)[:-1]
    bundle.set_lines(chained(lines, place))
    bundle.describe()


def drop_and_chain_anew(bundle: Tampered, chance: random.Random) -> None:
    lines = bundle.lines()
    place = chance.randrange(len(lines))
    del lines[place]
    bundle.set_lines(chained(lines, place))
    bundle.describe()


def cut_tail(bundle: Tampered, chance: random.Random) -> None:
    """Cut the tail, and leave what was published of it."""
    lines = bundle.lines()
    bundle.set_lines(lines[: chance.randrange(1, len(lines))])
    bundle.describe()


def edit_head(bundle: Tampered, chance: random.Random) -> None:
    path = chance.choice(sorted((bundle.folder / "heads").glob("*.txt")))
    lines = path.read_text().splitlines()
    place = chance.randrange(6)
    lines[place] = chance.choice([lines[place] + "0", lines[place][:-1], "size 3", "digest " + "0" * 64])
    path.write_text("\n".join(lines) + "\n")


def swap_heads(bundle: Tampered, chance: random.Random) -> None:
    suffix = chance.choice(["txt", "sig"])
    one, other = chance.sample(sorted((bundle.folder / "heads").glob(f"*.{suffix}")), 2)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def edit_description(bundle: Tampered, chance: random.Random) -> None:
    def change(held: dict[str, Any]) -> None:
        edits: list[tuple[str, Any]] = [
            ("ledger", "0" * 32),
            ("period", {"first": "2026-11-24", "last": "2026-11-29"}),
            ("period", {"first": "2026-11-23", "last": "2026-13-29"}),
            ("records", held["records"] + chance.choice([-1, 1])),
            ("records", 10**30),
            ("head", "0" * 64),
            ("blobs", {"first": held["records"], "last": held["records"]}),
            ("blobs", {"first": 0, "last": held["records"]}),
            ("format", chance.choice([0, 2, "1", None])),
            ("withheld", {}),
            ("more", 1),
        ]
        name, value = chance.choice(edits)
        held[name] = value

    bundle.edit_json("bundle.json", change)


AMBIGUOUS = (
    b'{"evidence":"%s","evidence":[]}',
    b'{"a":{"evidence":"%s"},"a":1}',
    b'{"evidence":"%s","x":NaN}',
    b'{"evidence":"%s","x":1.5}',
    b'{"evidence":"%s","x":' + b"[" * 100 + b"]" * 100 + b"}",
)


def ambiguous_details(bundle: Tampered, chance: random.Random) -> None:
    """Give a record details that two readers may read differently, and chain anew."""
    lines = bundle.lines()
    place = chance.randrange(len(lines))
    body = chance.choice(AMBIGUOUS).replace(b"%s", b"1" * 64)
    digest = hashlib.sha256(body).hexdigest()
    (bundle.folder / "blobs" / digest).write_bytes(body)
    lines[place] = written(json.loads(lines[place]) | {"body": digest})[:-1]
    bundle.set_lines(chained(lines, place))
    bundle.describe()


def edit_figures(bundle: Tampered, chance: random.Random) -> None:
    def change(held: dict[str, Any]) -> None:
        name = chance.choice(sorted(held))
        match held[name]:
            case dict() as values if values:
                key = chance.choice(
                    sorted({*values} - {"last"})
                )  # a later record to end with may give the same figures
                values[key] = values[key] + 1 if isinstance(values[key], int) else None
            case _:
                held[name] = chance.choice([None, 7, "2026-11-30T00:00:00.000Z", {}])

    bundle.edit_json("figures.json", change)


def edit_signers(bundle: Tampered, chance: random.Random) -> None:
    path = bundle.folder / "allowed_signers"
    lines = path.read_text().splitlines(keepends=True)
    place = chance.randrange(len(lines))
    match chance.randrange(3):
        case 0:
            del lines[place]
        case 1:
            lines.append(lines[place])
        case _:
            lines[place] = lines[place].replace("2026", "2025").replace("portalops-signoff", "portalops-head")
    path.write_text("".join(lines))


OF_FILES: Mapping[str, Mutation] = {
    **{name: _of_file(change) for name, change in BYTES.items()},
    "remove_file": remove_file,
    "swap_files": swap_files,
}
STRUCTURAL: Mapping[str, Mutation] = {
    each.__name__: each
    for each in (
        add_file,
        put_something_else,
        edit_record,
        drop_record,
        drop_record_and_say_so,
        swap_records,
        duplicate_record,
        insert_joined,
        insert_and_chain_anew,
        edit_and_chain_anew,
        drop_and_chain_anew,
        cut_tail,
        edit_head,
        swap_heads,
        ambiguous_details,
        edit_description,
        edit_figures,
        edit_signers,
    )
}
ALL: Mapping[str, Mutation] = {**OF_FILES, **STRUCTURAL}
