"""`RESTORE.vi.md` and `RESTORE.en.md`: how to open this very set with stock programs alone. Pure.

The commands are for bash and GNU userland. A test runs them as they are printed. Ids of portals, sources and streams are
letters, digits and hyphens, so they need no quoting; text that came from outside never stands inside a command.
"""

from __future__ import annotations

from collections.abc import Iterator

from backups.formats import format_of
from backups.formats._parts import bullets, code
from backups.restore import REMOVED
from backups.set_file import NAME as SET_FILE
from backups.set_file import SetFile
from backups.signature import NAME as SIGNATURE
from backups.signature import NAMESPACE, signer_shown
from portalops.locale import LANGUAGES, render
from portalops.model.backups import Stream
from portalops.model.message import Message, msg, nmsg

MAX_LISTED = 50


def guide_files(content: SetFile) -> dict[str, bytes]:
    """Return the guides, by file name."""
    return {f"RESTORE.{language}.md": _guide(content, language).encode() for language in LANGUAGES}


def _guide(content: SetFile, language: str) -> str:
    parts = (part if isinstance(part, str) else render(part, language) for part in _parts(content))
    return "\n\n".join(parts) + "\n"


def _parts(content: SetFile) -> Iterator[str | Message]:
    yield msg("# How to restore backup set {set}", set=content.id)
    yield msg(
        "Made for portal {portal} at {moment}. This guide needs bash and the programs age, zstd, tar and sha256sum; for"
        " SQLite databases also sqlite3. portalops itself is not needed.",
        portal=content.portal,
        moment=content.created_at,
    )
    yield msg("One of these keys opens the set; you need the private key of one of them:")
    yield bullets(content.recipients)
    yield from _lacks(content)
    yield msg("## 1. Check that the set is complete and unchanged")
    yield msg(
        "If the set is on several discs, each disc has this guide and a part of the data; its DISC.txt gives the "
        "number of discs. First copy the folder {set} of every disc into one folder, in any order; files that "
        "are on more than one disc are identical.",
        set=content.id,
    )
    yield msg("Go to the folder of this file. Both commands print nothing if every byte is unchanged.")
    yield code(
        "sha256sum --check --quiet --strict tagmanifest-sha256.txt",
        "sha256sum --check --quiet --strict manifest-sha256.txt",
    )
    yield msg(
        "Compare the SHA-256 of tagmanifest-sha256.txt itself with the one in the ledger or in a report. If they "
        "are equal, this is the recorded set and not another complete set."
    )
    yield from signer_lines(content)
    yield msg("## 2. Set the key and the target folder")
    yield code('KEY="${KEY:-/media/key/operator.age}"', 'TO="${TO:-restored}"', "set -o pipefail")
    yield msg("A stream is its packs, decrypted one by one, joined in order and decompressed:")
    yield code(
        "stream() {",
        '  ls "$1".[0-9]*.age | sort --version-sort |',
        '    while read -r pack; do age --decrypt --identity "$KEY" "$pack" || exit 1; done |',
        "    zstd --decompress --stdout --quiet",
        "}",
    )
    yield msg("## 3. Restore")
    yield from _base_parts(content)
    for stream in content.streams:
        if stream.format != REMOVED:
            yield from _stream_parts(stream, content)
    yield from _one_file(content)


def signer_lines(content: SetFile) -> Iterator[str | Message]:
    key = signer_shown(content.signer)
    if not key:
        yield msg("This set is unsigned: only the comparison above shows who made it.")
        return
    yield msg(
        "This set is signed by the key {key}, which is recorded in the ledger of the portal. The signature "
        "covers set.json, which has the digest of every other file. ssh-keygen of OpenSSH 9 checks it with the "
        "file allowed_signers of an exported bundle of the ledger. Use a file that somebody kept elsewhere, "
        "never one that is stored beside the set:",
        key=key,
    )
    time = f"-O verify-time={content.created_at:%Y%m%d%H%M%SZ}"
    yield code(
        'ALLOWED="${ALLOWED:-/media/key/allowed_signers}"',
        f'WHO="$(ssh-keygen -Y find-principals -s {SIGNATURE} -f "$ALLOWED" {time} | head -n 1)"',
        f'ssh-keygen -Y verify -f "$ALLOWED" -I "$WHO" -n {NAMESPACE} {time} -s {SIGNATURE} < {SET_FILE}',
        f"for file in $(cut -c67- tagmanifest-sha256.txt | grep -v '^{SET_FILE}'); do",
        f'  grep -q "$(sha256sum < "$file" | cut -c1-64)" {SET_FILE} || echo "$file: not signed"',
        "done",
    )


def _lacks(content: SetFile) -> Iterator[str | Message]:
    lines = [
        *content.failed_sources,
        *(f"{stream.source}: {line}" for stream in content.streams for line in (*stream.unread, *stream.changed)),
    ]
    if not lines:
        return
    yield msg("**This set is incomplete.** The following is missing or uncertain; set.json has the whole list:")
    yield bullets(tuple(line.replace("`", "'") for line in lines[:MAX_LISTED]))


def _base_parts(content: SetFile) -> Iterator[str | Message]:
    if content.base is None:
        return
    yield msg(
        "This set is a differential: some of its streams hold only what has changed since set {base}. You need "
        "that set too. Check it in the same way, and set its folder. The SHA-256 of its tagmanifest-sha256.txt "
        "must be {digest}:",
        base=content.base_id or "-",
        digest=content.base,
    )
    yield code(f'BASE="${{BASE:-../{content.base_id}}}"', 'sha256sum "$BASE/tagmanifest-sha256.txt"')


def _stem(stream: Stream) -> str:
    return f"data/{stream.data_class.value}/{stream.source}/{stream.name}"


def _stream_parts(stream: Stream, content: SetFile) -> Iterator[str | Message]:
    stem = _stem(stream)
    yield msg("### {source}: {stream}", source=stream.source, stream=stream.name)
    yield msg(
        "{members}, {size} bytes, in {packs}. First check that the stream is complete; this takes no disk space:",
        members=nmsg("{n} member", "{n} members", stream.members),
        size=stream.plain_bytes,
        packs=nmsg("{n} pack", "{n} packs", len(stream.packs)),
    )
    yield code(f'[ "$(stream {stem} | sha256sum)" = "{stream.plain_sha256}  -" ] && echo {stream.source}: OK')
    known = format_of(stream)
    place = known.place(stream)
    if stream.differential:
        yield msg("It holds only what has changed. Start with the stream of this name in the base:")
        yield from known.guide(stream, f'(cd "$BASE" && stream {stem})', place)
        for other in content.streams:
            if other.source == stream.source and other.format == REMOVED:
                yield from format_of(other).guide(other, f"stream {_stem(other)}", place)
    yield from known.guide(stream, f"stream {stem}", place)


def _one_file(content: SetFile) -> Iterator[str | Message]:
    stream = next((stream for stream in content.streams if stream.index is not None), None)
    if stream is None or stream.index is None:
        return
    stem = _stem(stream)
    yield msg("## 4. One file only")
    yield msg(
        "The index of a stream has one line for each member, with its path, its SHA-256 and the number of the "
        "pack that it begins in. Find the path there, then give it to tar:"
    )
    yield code(f'age --decrypt --identity "$KEY" {stream.index.path} | zstd --decompress --stdout --quiet | head -n 20')
    yield code(
        'FILE="${FILE:-path/as/in/the/index}"',
        f'mkdir -p "$TO/one" && stream {stem} | tar --extract --directory "$TO/one" "$FILE"',
    )
