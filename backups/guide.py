"""`RESTORE.vi.md`, `RESTORE.en.md` and `restore.sh`: how to open this very set with stock programs alone. Pure.

The same steps, three times: two guides for people, and a script of POSIX sh that runs the commands of the guides. Tests run the
guides as they are printed, and drills run the script. Ids of portals, sources and streams are letters, digits and hyphens, so
they need no quoting; text that came from outside never stands inside a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from backups.formats import format_of
from backups.formats._parts import Commands, Step, bullets, by_hand, code
from backups.restore import REMOVED
from backups.restore_script import (
    CHECK,
    CHECKING,
    CLOSING,
    FUNCTIONS,
    QUOTED,
    SALVAGE,
    SCRIPT,
    Part,
    ScriptSteps,
    places,
    restore_script,
)
from backups.set_file import NAME as SET_FILE
from backups.set_file import SetFile
from backups.signature import NAME as SIGNATURE
from backups.signature import NAMESPACE, signer_shown
from portalops.locale import LANGUAGES, render
from portalops.model.backups import Stream
from portalops.model.message import Message, msg, nmsg

MAX_LISTED = 50
_SOURCE = re.compile(r"[a-z0-9-]{1,100}", re.ASCII)
LEDGER = "ledger"
"""The kind of the source whose paths begin at the state folder, not at /."""
NO_DIGEST = "-"
"""For the script's `stream`: of a base, or of a tar whose files have their digests in the index."""


def guide_files(content: SetFile) -> dict[str, bytes]:
    """Return the guides and the script, by file name."""
    guides = {f"RESTORE.{language}.md": _guide(content, language).encode() for language in LANGUAGES}
    return {**guides, SCRIPT: restore_script(_script_steps(content)).encode()}


def _guide(content: SetFile, language: str) -> str:
    parts = (render(part, language) if isinstance(part, Message) else str(part) for part in _parts(content))
    return "\n\n".join(parts) + "\n"


def _script_steps(content: SetFile) -> ScriptSteps:
    return ScriptSteps(
        set_id=content.id,
        recipients=content.recipients,
        signature=_commands(signer_lines(content)),
        base_id=content.base_id or "",
        base=_commands(_base_parts(content)),
        parts=tuple(part for section in _sections(content) for part in section.parts),
        put_back=tuple(put_back(folder, to=QUOTED) for folder in _folders(content)),
        apart=tuple(_apart(content)),
        lacks=tuple(_lacked(content)),
    )


def _commands(steps: Iterator[Step]) -> tuple[Commands, ...]:
    return tuple(step for step in steps if isinstance(step, Commands))


def _parts(content: SetFile) -> Iterator[Step]:
    sections = _sections(content)
    yield msg("# How to restore backup set {set}", set=content.id)
    yield msg(
        "Made for portal {portal} at {moment}. This needs a POSIX shell and the programs age, zstd, GNU tar and sha256sum;"
        " databases need their own programs. portalops itself is not needed.",
        portal=content.portal,
        moment=content.created_at,
    )
    yield msg("One of these keys opens the set; you need the private key of one of them:")
    yield bullets(content.recipients)
    yield from _lacks(content)
    yield msg(
        "If the set is on several discs, each disc has this guide and a part of the data; its DISC.txt gives the "
        "number of discs. First copy the folder {set} of every disc into one folder, in any order; files that "
        "are on more than one disc are identical.",
        set=content.id,
    )
    yield msg("## By the script")
    yield msg(
        "{script} in this folder takes every step below, in this order. It stops at the first error and loads no database. First "
        "compare the SHA-256 of tagmanifest-sha256.txt with the one in the ledger or in a report: the script is code "
        "of this set.",
        script=SCRIPT,
    )
    yield by_hand(
        "find . ! -type d ! -type f",
        "sha256sum tagmanifest-sha256.txt",
        "sha256sum --check --quiet --strict tagmanifest-sha256.txt",
    )
    yield msg("If it is the recorded one, and the first and the last command printed nothing:")
    yield by_hand(
        f"KEY=/media/key/operator.age TO=/srv/restored sh {SCRIPT}",
    )
    yield msg(
        "With --databases it also loads the dumps into new databases. With --salvage it leaves out damaged packs, lists what is "
        "missing, and ends with exit code 3 if there is any. --help explains the rest."
    )
    yield msg("## 1. Set the key and the target folder")
    yield msg(
        "The same by hand: go to the folder of this file, and give the commands to one shell, one block after the other. Go on "
        "only if a block prints no error."
    )
    yield by_hand('SET="$PWD"', 'KEY="${KEY:-/media/key/operator.age}"', 'TO="${TO:-../restored}"')
    yield code(*places(content.base_id or ""))
    yield msg("## 2. Check that the set is complete and unchanged")
    yield msg("Both commands print nothing if every byte is unchanged.")
    yield code(*CHECKING)
    yield code('cd "$SET"', *CHECK)
    yield msg(
        "Compare the SHA-256 of tagmanifest-sha256.txt itself with the one in the ledger or in a report. If they "
        "are equal, this is the recorded set and not another complete set."
    )
    yield from signer_lines(content)
    yield from _base_parts(content)
    yield msg("## 3. Restore")
    yield msg(
        "A stream is its packs, decrypted one by one, joined in order and decompressed. These functions do that, and fail if any "
        "part fails:"
    )
    yield code(*FUNCTIONS)
    for section in sections:
        yield from section.steps
    yield msg("Everything is in the target folder now. Folders that were closed to you get their modes again:")
    yield code(CLOSING)
    yield msg("Remove the working folder:")
    yield by_hand('rm -r "$WORK"')
    yield from _back_in_place(content)
    yield from _one_file(content)
    yield from _salvage(sections)


def signer_lines(content: SetFile) -> Iterator[Step]:
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
        f'fits {SIGNATURE} || stop "{SIGNATURE}: damaged"',
        f'WHO="$(ssh-keygen -Y find-principals -s {SIGNATURE} -f "$ALLOWED" {time} | head -n 1)"',
        f'ssh-keygen -Y verify -f "$ALLOWED" -I "$WHO" -n {NAMESPACE} {time} -s {SIGNATURE} < {SET_FILE}',
        f"for file in $(cut -c67- tagmanifest-sha256.txt | grep -v '^{SET_FILE}'); do",
        f'  fits "$file" && grep -q "$(sha256sum < "$file" | cut -c1-64)" {SET_FILE} || {{ UNSIGNED=yes; echo "$file: not signed"; }}',
        "done",
        '[ -z "${UNSIGNED-}" ]',
    )


def _lacks(content: SetFile) -> Iterator[Step]:
    lines = [
        *content.failed_sources,
        *(f"{stream.source}: {line}" for stream in content.streams for line in (*stream.unread, *stream.changed)),
    ]
    if not lines:
        return
    yield msg("**This set is incomplete.** The following is missing or uncertain; set.json has the whole list:")
    yield bullets(tuple(line.replace("`", "'") for line in lines[:MAX_LISTED]))


def _lacked(content: SetFile) -> Iterator[Message]:
    """Say what the script can say of that: which sources failed and how many paths; reasons are text from outside."""
    failed = dict.fromkeys(line.partition(":")[0] for line in content.failed_sources)
    if failed:
        named = (name if _SOURCE.fullmatch(name) else "?" for name in failed)
        yield msg(
            "The set itself is incomplete. These sources could not be backed up, see RESTORE.en.md: {sources}",
            sources=", ".join(named),
        )
    count = sum(len(stream.unread) + len(stream.changed) for stream in content.streams)
    if count:
        yield nmsg(
            "The set itself is incomplete. {n} path could not be read, or changed while it was read, see RESTORE.en.md.",
            "The set itself is incomplete. {n} paths could not be read, or changed while they were read, see RESTORE.en.md.",
            count,
        )


def _base_parts(content: SetFile) -> Iterator[Step]:
    if content.base is None:
        return
    yield msg(
        "This set is a differential: some of its streams hold only what has changed since set {base}. You need "
        "that set too, beside this one or in the folder BASE. These commands check it in the same way. The "
        "SHA-256 of its tagmanifest-sha256.txt must be {digest}:",
        base=content.base_id or "-",
        digest=content.base,
    )
    yield code(
        'fits "$BASE/tagmanifest-sha256.txt" || stop "$BASE: the base is not there"',
        f'[ "$(sha256sum < "$BASE/tagmanifest-sha256.txt")" = "{content.base}  -" ] || stop "$BASE: another set"',
    )
    yield code(
        *(f'(cd "$BASE" && {line})' for line in CHECK),
    )


def _stem(stream: Stream) -> str:
    return f"data/{stream.data_class.value}/{stream.source}/{stream.name}"


@dataclass(frozen=True, slots=True)
class _Section:
    """The steps of one stream."""

    heading: tuple[Step, ...]
    parts: tuple[Part, ...]
    """What is restored in turn: of a differential the base, what is no more, and what is new."""

    @property
    def steps(self) -> Iterator[Step]:
        yield from self.heading
        for part in self.parts:
            yield from part.steps


def _sections(content: SetFile) -> tuple[_Section, ...]:
    streams = (stream for stream in content.streams if stream.format != REMOVED)
    ordered = sorted(streams, key=lambda stream: not format_of(stream).is_needed_first)
    return tuple(_section(stream, content) for stream in ordered)


def _section(stream: Stream, content: SetFile) -> _Section:
    known = format_of(stream)
    place = known.place(stream)
    heading = (
        msg("### {source}: {stream}", source=stream.source, stream=stream.name),
        msg(
            "{members}, {size} bytes, in {packs}.",
            members=nmsg("{n} member", "{n} members", stream.members),
            size=stream.plain_bytes,
            packs=nmsg("{n} pack", "{n} packs", len(stream.packs)),
        ),
    )
    parts = []
    if stream.differential:
        said = msg("It holds only what has changed. Start with the stream of this name in the base:")
        steps = known.guide(stream, f'stream "$BASE" {_stem(stream)} {NO_DIGEST}', place)
        parts.append(_part(stream, "BASE", (said, *steps), place))
        gone = [each for each in content.streams if each.source == stream.source and each.format == REMOVED]
        parts += [
            replace(
                _part(each, "SET", format_of(each).guide(each, _given(each), place), place), way=(_stem(stream), place)
            )
            for each in gone
        ]
    parts.append(_part(stream, "SET", known.guide(stream, _given(stream), place), place))
    return _Section(heading, tuple(parts))


def _given(stream: Stream) -> str:
    return f'stream "$SET" {_stem(stream)} {stream.plain_sha256 or NO_DIGEST}'


def _part(stream: Stream, folder: str, steps: Iterator[Step] | tuple[Step, ...], place: str) -> Part:
    has_index = stream.index is not None and stream.format == "tar"
    return Part(f"{stream.source}/{stream.name}", folder, _stem(stream), tuple(steps), place if has_index else "")


def _back_in_place(content: SetFile) -> Iterator[Step]:
    folders, apart = _folders(content), tuple(_apart(content))
    if not folders and not apart:
        return
    yield msg("## 4. Put the files back in place")
    yield from apart
    if not folders:
        return
    yield msg(
        "Below its folder each file has the path that it had below /. Owners are numbers: first make the accounts with the same "
        "numbers, and restore as root, or the files belong to you. Stop the portal, compare, then copy. This command leaves "
        "files and folders that exist as they are:"
    )
    yield by_hand(*map(put_back, folders))


def _folders(content: SetFile) -> tuple[str, ...]:
    """Return the folders of files that have their paths below /, below the target."""
    places = (format_of(each).place(each) for each in content.streams if each.format == "tar" and each.kind != LEDGER)
    return tuple(dict.fromkeys(places))


def _apart(content: SetFile) -> Iterator[Message]:
    """Say where those folders go that do not go below /."""
    for each in content.streams:
        if each.kind == LEDGER:
            yield msg(
                "{folder} is the state folder of portalops. Copy what is in it into that folder, never into /.",
                folder=format_of(each).place(each),
            )


def put_back(folder: str, to: str = '"$TO"') -> str:
    """Return the command that copies restored files to where they were; the target as a shell takes it for one word."""
    return (
        f"(cd {to}/{folder} && tar --create --xattrs --numeric-owner .) |"
        " tar --extract --preserve-permissions --numeric-owner --xattrs --xattrs-include='*'"
        " --skip-old-files --directory /"
    )


# Names end with NUL for tar, since it takes a backslash in another name for the beginning of a character.
_WANTED = r"""
printf '%s\n' "$FILE" | readable > "$WORK/file"
LC_ALL=C awk '
  NR == FNR { wanted[$0] = 1; next }
  {
    path = link = $0
    sub(/^[{]"type":"[a-z-]*","path":"/, "", path); sub(/","size":[0-9]*,"mode":.*$/, "", path)
    sub(/^.*,"link":"/, "", link); sub(/","pack":[0-9]*,"offset":.*$/, "", link)
    if (path in wanted) print path
    for (above = path; above != "" && !(above in wanted); ) if (!sub("/[^/]*$", "", above)) above = ""
    if (above != "" && /^[{]"type":"hardlink"/) print link
  }' "$WORK/file" "$WORK/index" | quoted | xargs --no-run-if-empty sh -c 'printf "%s\0" "$@"' sh > "$WORK/wanted"
[ -s "$WORK/wanted" ] || stop "$FILE: not in the index"
""".strip().splitlines()


def _one_file(content: SetFile) -> Iterator[Step]:
    stream = next((stream for stream in content.streams if stream.index is not None), None)
    if stream is None or stream.index is None:
        return
    stem = _stem(stream)
    yield msg("## 5. One file only")
    yield msg(
        "The index of a stream has one line for each member, with its path, its SHA-256 and the number of the "
        "pack that it begins in. In a new shell give the commands of sections 1 and 2, and the first ones of section 3. Find the "
        "path, then give it, as it stands there. Of a further name of a file the first one comes with it. In a differential, a file "
        "that is not listed lies in the base: take its index, and BASE for SET:"
    )
    yield by_hand(
        f'age --decrypt --identity "$KEY" "$SET/{stream.index.path}" | zstd --decompress --stdout --quiet | readable > "$WORK/index"',
        'head -n 20 "$WORK/index"',
    )
    yield by_hand(
        'FILE="${FILE:-path/as/in/the/index}"',
        *_WANTED,
        f'mkdir -p "$TO/one" && stream "$SET" {stem} {NO_DIGEST} tar --extract --delay-directory-restore --directory "$TO/one" --null --files-from "$WORK/wanted"',
    )


def _salvage(sections: tuple[_Section, ...]) -> Iterator[Step]:
    parts = [
        part for section in sections if any(part.salvage_place for part in section.parts) for part in section.parts
    ]
    if not parts:
        return
    yield msg("## 6. Salvage: packs are damaged and there is no other copy")
    yield msg(
        "A damaged pack costs only what lies in it: its files are left out, and the index says where the next file begins. "
        "First give the first commands of section 3, which define what is used here. Then give these in place of the others, "
        "and go on although section 2 names damaged packs. Where the newer "
        "version of a file is lost, its older one from the base is removed. Paths of which no version remains in place stand in "
        "RESTORE-UNFINISHED.txt, as the index writes them; without that file nothing is missing. A dump with a damaged pack cannot be used."
    )
    yield code(*SALVAGE)
    steps = [part.salvage_by_hand() for part in parts]
    keep = '[ ! -s "$WORK/missing" ] || list_missing > "$TO/RESTORE-UNFINISHED.txt"'
    yield by_hand(*(line for lines in steps for line in lines), CLOSING, keep)
