"""`restore.sh`: the commands of a set's guides as one script of POSIX sh. Pure.

What `places` returns, `CHECKING`, `CHECK`, `FUNCTIONS` and `SALVAGE` are printed in the guides too. Around them the script has what a person does by
looking: it stops at the first error, and says where. sh has no `pipefail`, so each part of a pipe leaves a file when it
has ended well, and a pipe without all of its files has failed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backups.formats._parts import Commands, CommandUse, Step
from backups.unfinished import FIRST_LINE, UNFINISHED
from portalops.locale import LANGUAGES, render
from portalops.model.backups import SetId
from portalops.model.message import Message, msg

SCRIPT = "restore.sh"
PROGRAMS = (
    *(
        "age",
        "zstd",
        "tar",
        "sha256sum",
        "awk",
        "cat",
        "chmod",
        "cut",
        "dirname",
        "find",
        "grep",
        "head",
        "id",
        "ls",
        "mkdir",
    ),
    *("mkfifo", "mktemp", "mv", "readlink", "rm", "sed", "sh", "sort", "stat", "tail", "tee", "tr", "xargs"),
)
"""What the script needs, without the programs of databases; all but the first two are on every Linux."""
QUOTED = "$QUOTED"
"""Stands in what the script prints for the target as one word of a shell, so that a name never becomes a command."""
INCOMPLETE = 3
"""Its exit code when something was restored, and something is missing."""

_PLACES = (
    "umask 077",
    'stop() { echo "error: $*" >&2; return 1; }',
    'absolute() { case "$1" in /*) printf \'%s\\n\' "$1" ;; *) printf \'%s/%s\\n\' "$PWD" "$1" ;; esac; }',
    'KEY="$(absolute "$KEY")"',
    'TO="$(absolute "$TO")"',
    'BASE="${BASE:-BESIDE}"',
    'BASE="${BASE:+$(absolute "$BASE")}"',
    'ALLOWED="${ALLOWED:+$(absolute "$ALLOWED")}"',
    'for set in "$SET" ${BASE:+"$BASE"}; do',
    '  case "$(readlink -m -- "$TO")/" in "$(readlink -m -- "$set")"/*) stop "$TO: it lies in the folder of a set" ;; esac',
    "done",
    'PREFIX="${PREFIX-}"',
    'SUFFIX="${SUFFIX-_restored}"',
    'case "$PREFIX$SUFFIX" in -* | *[!A-Za-z0-9_-]*) stop "$PREFIX, $SUFFIX: only letters, digits, _ and - may be in them" ;; esac',
    '[ -f "$KEY" ] && [ -r "$KEY" ] || stop "$KEY: the key cannot be read"',
    'mkdir -p "$TO"',
    f'[ -z "$(ls -A "$TO" | grep -v -x {UNFINISHED})" ] || stop "$TO: the folder is not empty"',
    'WORK="$(mktemp -d)"',
    'WORK="$(absolute "$WORK")"',
    ': > "$WORK/missing"',
)


def places(base: str) -> tuple[str, ...]:
    """Return the commands that check KEY, TO and BASE; the base of a differential lies beside it if BASE does not say where."""
    beside = f"$SET/../{base}" if base else ""
    return tuple(line.replace("BESIDE", beside) for line in _PLACES if beside or "BESIDE" not in line)


# Of a file whose length set.json does not say: a pack has at most 1 GiB before compression.
_MOST_BYTES = 2 << 30
_CHECKING = r"""
# lengths: prints length and path of each regular file among the given paths
lengths() {
  LC_ALL=C sed 's/./\\&/g' |
    (unset BLOCK_SIZE LS_BLOCK_SIZE QUOTING_STYLE TIME_STYLE || :; LC_ALL=C xargs ls -lnd -- 2> /dev/null || :) |
    LC_ALL=C awk '/^-/ { bytes = $5; for (i = 1; i <= 8; i++) sub(/^[^ ]+ +/, ""); print bytes, $0 }'
}
# fits FILE: whether it is a regular file, no link, and not far too long
fits() {
  found="$(printf '%s\n' "$1" | lengths)"
  [ -n "$found" ] && [ "${found%% *}" -le MOST ]
}
# sizes: notes how long each pack and index of the set here is, if its set.json is whole
sizes() {
  [ "$(head -n 1 "$WORK/sizes" 2> /dev/null)" != "$PWD" ] || return 0
  printf '%s\n' "$PWD" > "$WORK/sizes"
  fits tagmanifest-sha256.txt && fits set.json || return 0
  grep '  set\.json$' tagmanifest-sha256.txt | sha256sum --check --status --strict 2> /dev/null || return 0
  LC_ALL=C sed -n 's|^ *"path": "\(data/[^"]*\)",*$|\1|p; s|^ *"stored_bytes": \([0-9]*\),*$|\1|p' set.json |
    LC_ALL=C awk '/^data/ { path = $0; next } path { print $0, path; path = "" }' >> "$WORK/sizes"
}
# check LIST: prints what a list names and the set here does not have so; it reads only regular files of no more than their length
check() {
  fits "$1" || { echo "$1: FAILED"; return 1; }
  sizes
  wrong=
  : > "$WORK/fit"
  LC_ALL=C cut -c67- "$1" | lengths > "$WORK/lengths"
  LC_ALL=C awk -v fit="$WORK/fit" '
    { at = index($0, " ") }
    FILENAME == ARGV[1] { size[substr($0, at + 1)] = substr($0, 1, at - 1); next }
    FILENAME == ARGV[2] { found[substr($0, at + 1)] = substr($0, 1, at - 1); next }
    {
      file = substr($0, 67)
      if (file in found && found[file] + 0 <= (file in size ? size[file] : MOST) + 0) print > fit
      else { print file ": FAILED"; wrong = 1 }
    }
    END { exit wrong }
  ' "$WORK/sizes" "$WORK/lengths" "$1" || wrong=yes
  [ ! -s "$WORK/fit" ] || sha256sum --check --quiet --strict "$WORK/fit" || wrong=yes
  [ -z "$wrong" ] && [ -s "$WORK/fit" ]
}
"""
CHECKING = tuple(_CHECKING.replace("MOST", str(_MOST_BYTES)).strip().splitlines())
"""Functions that check a set, and read no file that is no part of one: a FIFO would be waited for, and a device read, for ever."""

CHECK = (
    "check tagmanifest-sha256.txt",
    "check manifest-sha256.txt",
)

_NAMES = r"""
# readable: prints paths as the index writes them with their letters
readable() {
  LC_ALL=C awk '
    function hex(text,  n, i) {
      for (i = 1; i <= 4; i++) n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
      return n
    }
    # What the index writes as \u and four digits, as bytes of UTF-8; control characters stay as they are.
    function letters(text,  out, at, code) {
      while (at = index(text, "\\")) {
        out = out substr(text, 1, at - 1); text = substr(text, at)
        code = text ~ /^\\u/ ? hex(substr(text, 3, 4)) : 0
        if (text ~ /^\\"/) { out = out "\""; text = substr(text, 3) }
        else if (code < 160) { out = out substr(text, 1, 2); text = substr(text, 3) }
        else {
          text = substr(text, 7)
          if (code >= 56448 && code < 56576) { out = out sprintf("%c", code - 56320); continue }
          if (code >= 55296 && code < 56320) {
            code = 65536 + (code - 55296) * 1024 + hex(substr(text, 3, 4)) - 56320; text = substr(text, 7)
          }
          if (code < 2048) out = out sprintf("%c", 192 + int(code / 64))
          else {
            if (code < 65536) out = out sprintf("%c", 224 + int(code / 4096))
            else out = out sprintf("%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64)
            out = out sprintf("%c", 128 + int(code / 64) % 64)
          }
          out = out sprintf("%c", 128 + code % 64)
        }
      }
      return out text
    }
    { print letters($0) }
  '
}
# quoted: prints paths that have their letters as xargs takes them
quoted() {
  LC_ALL=C awk '
    BEGIN { plain["\\n"] = "\n"; plain["\\t"] = "\t"; plain["\\b"] = "\b"; plain["\\f"] = "\f"; plain["\\r"] = "\r" }
    function digit(text) { return index("0123456789abcdef", text) - 1 }
    {
      out = ""
      while (match($0, /[\\ "\047]/)) {
        out = out substr($0, 1, RSTART - 1) "\\"; $0 = substr($0, RSTART)
        if (/^\\u/) {
          code = digit(substr($0, 5, 1)) * 16 + digit(substr($0, 6, 1)); $0 = substr($0, 7)
          out = out (code < 128 ? sprintf("%c", code) : sprintf("%c%c", 194, code))
        }
        else if (/^\\/) { two = substr($0, 1, 2); out = out (two in plain ? plain[two] : "\\"); $0 = substr($0, 3) }
        else { out = out substr($0, 1, 1); $0 = substr($0, 2) }
      }
      print out $0
    }
  '
}
# open_folders PLACE: lets its owner into folders that are closed to him, marks them by a bit that folders never have, and notes their modes
open_folders() {
  [ "$(id -u)" -ne 0 ] || return 0
  find "$1" -type d ! -perm -700 ! -exec sh -c '
    stat -c %a -- "$2" > "$1-$(stat -c %i -- "$2")" && chmod 04700 -- "$2"' sh "$WORK/mode" {} \; -print > "$WORK/shut"
  [ ! -s "$WORK/shut" ] || stop "$(head -n 1 "$WORK/shut"): cannot be opened"
}
# close_folders: gives the marked ones their modes again, the inner ones first
close_folders() {
  [ "$(id -u)" -ne 0 ] || return 0
  open_folders "$TO" || return 1
  find "$TO" -depth -type d -perm 4700 ! -exec sh -c '
    mode="$1-$(stat -c %i -- "$2")"
    [ ! -f "$mode" ] || chmod "0000$(cat "$mode")" -- "$2"' sh "$WORK/mode" {} \; -print > "$WORK/shut"
  [ ! -s "$WORK/shut" ] || stop "$(head -n 1 "$WORK/shut"): cannot be closed"
}
"""

_FIRST_LINE = FIRST_LINE.decode().rstrip()
_LISTED = msg("This restore has ended. What is missing is listed below.")

FUNCTIONS = (
    *_NAMES.strip().splitlines(),
    "# packs FOLDER STEM FIRST LAST: prints packs of a stream, decrypted",
    "packs() {",
    '  number="$3"',
    '  while [ "$number" -le "$4" ]; do',
    '    age --decrypt --identity "$KEY" "$(printf \'%s/%s.%04d.age\' "$1" "$2" "$number")" || return 1',
    "    number=$((number + 1))",
    "  done",
    "}",
    "# list_missing: prints the file that lists what is missing, behind its first empty line",
    "list_missing() {",
    f"  echo '{_FIRST_LINE}'",
    *(f"  echo '{render(_LISTED, each)}'" for each in LANGUAGES),
    "  echo",
    '  cat "$WORK/missing"',
    "}",
    "# last_pack FOLDER STEM: prints the number of the last pack of a stream",
    'last_pack() { fits "$1/manifest-sha256.txt" && grep -c "  $2\\.[0-9]*\\.age\\$" "$1/manifest-sha256.txt" || stop "$1/$2: not in the manifest"; }',
    "# ended NAME...: fails if a part of the last pipe did not end well",
    'ended() { for part; do [ -e "$WORK/ended-$part" ] || stop "$stem: $part failed" || return 1; done; }',
    "# stream FOLDER STEM SHA256 PROGRAM...: gives a stream to a program",
    "stream() {",
    '  folder="$1" stem="$2" digest="$3"',
    "  shift 3",
    '  last="$(last_pack "$folder" "$stem")" || return 1',
    '  rm -f "$WORK"/ended-* "$WORK/bytes"',
    '  mkfifo "$WORK/bytes" || return 1',
    '  sha256sum < "$WORK/bytes" > "$WORK/digest" &',
    "  summing=$!",
    '  { packs "$folder" "$stem" 1 "$last" && : > "$WORK/ended-age"; } |',
    '    { zstd --decompress --stdout --quiet && : > "$WORK/ended-zstd"; } |',
    '    { tee "$WORK/bytes" && : > "$WORK/ended-tee"; } |',
    '    { "$@" && : > "$WORK/ended-$1"; } || :',
    '  wait "$summing" || return 1',
    '  ended age zstd tee "$1" || return 1',
    '  [ "$digest" = - ] || [ "$(cat "$WORK/digest")" = "$digest  -" ] || stop "$stem: not the bytes that were backed up"',
    "}",
    "# unpack FOLDER: unpacks a tar; without root it makes no devices, and lists them",
    "unpack() {",
    '  open_folders "$1" || return 1',
    "  if LC_ALL=C tar --extract --delay-directory-restore --preserve-permissions --numeric-owner --xattrs --xattrs-include='*' \\",
    '    --directory "$1" 2> "$WORK/tar"; then cat "$WORK/tar" >&2; return 0; fi',
    '  cat "$WORK/tar" >&2',
    "  # A further name of a device that is not made is not made either.",
    "  LC_ALL=C awk '",
    "    {",
    "      for (each in gone) if (substr($0, length($0) - length(each) + 1) == each) next",
    "      print",
    "    }",
    "    / Cannot mknod: Operation not permitted$/ {",
    '      sub(/^tar: /, ""); sub(/: Cannot mknod: Operation not permitted$/, "")',
    '      gone[": Cannot hard link to \\047" $0 "\\047: No such file or directory"]',
    "    }",
    '  \' "$WORK/tar" > "$WORK/faults"',
    "  ! LC_ALL=C grep -v -e ': Cannot mknod: Operation not permitted$' -e \"^tar: .*: Cannot hard link to ${LINKS-none}\" \\",
    '    -e "^tar: .*: Cannot .*: ${CLASH-none}$" \\',
    "    -e ': Exiting with failure status due to previous errors$' -e ': time stamp ' -e ': implausibly old time stamp ' -e ': Warning: ' \\",
    "    -e '^tar: Ignoring unknown extended header keyword ' \\",
    '    -e "^tar: .*: Cannot set .[a-z]*\\.[^ ]*. extended attribute for file .*: Operation not permitted\\$" \\',
    '    "$WORK/faults" > /dev/null || return 1',
    '  LC_ALL=C grep -e \': Cannot \' "$WORK/tar" > "$WORK/cannot" || return 1',
    '  LC_ALL=C grep -v -e "^tar: .*: Cannot hard link to ${LISTED-none}" "$WORK/cannot" |',
    '    sed "s|^tar: |${1#"$TO"/}/|" >> "$WORK/missing"',
    "}",
)

CLOSING = "close_folders"
"""The command behind all that unpack."""

_LOST = r"""
# index_of FOLDER STEM: prints the index of a stream
index_of() {
  is_whole "$1" "$2\.index\.age" || return 1
  rm -f "$WORK"/ended-*
  { age --decrypt --identity "$KEY" "$1/$2.index.age" && : > "$WORK/ended-age"; } |
    { zstd --decompress --stdout --quiet && : > "$WORK/ended-zstd"; } || :
  ended age zstd
}
# standing STEM: of what the base has lost, leaves out what the set has anew and what was removed
standing() {
  if index_of "$SET" "$1" > "$WORK/index"; then
    LC_ALL=C awk '
      FNR == NR { sub(/^[{]"type":"[a-z-]*","path":"/, ""); sub(/","size":[0-9]*,"mode":.*$/, ""); now[$0] = 1; next }
      !($0 in now)
    ' "$WORK/index" "$WORK/lost" > "$WORK/left" || return 1
    mv "$WORK/left" "$WORK/lost" || return 1
  fi
  readable < "$WORK/lost" > "$WORK/names" || return 1
  is_whole "$SET" "${1%/*}/removed\.[0-9]*\.age" || return 0
  (stream "$SET" "${1%/*}/removed" - cat > "$WORK/removed") || return 1
  LC_ALL=C sed -z 's/\\/\\\\/g; s/\n/\\n/g' "$WORK/removed" | tr '\000' '\n' | LC_ALL=C awk -v names="$WORK/names" '
    BEGIN {
      for (i = 1; i < 160; i++) if (i < 32 || i > 126)
        written[i < 128 ? sprintf("%c", i) : sprintf("%c%c", 194, i)] = sprintf("\\u%04x", i)
      written["\b"] = "\\b"; written["\t"] = "\\t"; written["\f"] = "\\f"; written["\r"] = "\\r"
    }
    {
      line = $0
      for (each in written) while (at = index(line, each))
        line = substr(line, 1, at - 1) written[each] substr(line, at + length(each))
      removed[line] = 1
    }
    END {
      while ((getline path < names) > 0) {
        count = split(path, parts, "/"); above = parts[1]
        for (i = 2; i <= count && !(above in removed); i++) above = above "/" parts[i]
        if (!(above in removed)) print path
      }
    }' > "$WORK/left" || return 1
  mv "$WORK/left" "$WORK/names"
}
# without_older PLACE: removes the older version of what is lost; it removes no folder and follows no link
without_older() {
  quoted < "$WORK/names" > "$WORK/older" && open_folders "$1" || return 1
  (cd "$1" && xargs sh -c '
    for path; do
      above="$path" is_here=yes
      while [ "$above" != "${above%/*}" ]; do above="${above%/*}"; [ ! -L "$above" ] || is_here=; done
      [ -z "$is_here" ] || { [ -d "$path" ] && [ ! -L "$path" ]; } || rm -f -- "$path" || exit 255
    done' sh < "$WORK/older")
}
# make_way STEM PLACE: where the list of what was removed is lost, removes what is of another type in the set; it follows no link
make_way() {
  # Without the index tar itself says what it cannot replace.
  index_of "$SET" "$1" > "$WORK/index" || { CLASH="File exists"; return 0; }
  LC_ALL=C sed -n 's|^[{]"type":"folder","path":"|d/|; s|^[{]"type":"[a-z-]*","path":"|f/|; s|","size":[0-9]*,"mode":.*$||p' \
    "$WORK/index" | readable | quoted > "$WORK/way" && open_folders "$2" || return 1
  (cd "$2" && xargs sh -c '
    for path; do
      kind="${path%%/*}" path="${path#*/}" is_folder=f
      case "/$path/" in */../*) continue ;; esac
      above="$path"
      while [ "$above" != "${above%/*}" ]; do above="${above%/*}"; [ ! -L "$above" ] || continue 2; done
      { [ ! -d "$path" ] || [ -L "$path" ]; } || is_folder=d
      [ "$kind" = "$is_folder" ] || rm -rf -- "$path" || exit 255
    done' sh < "$WORK/way")
}
"""
SALVAGE = (
    *_LOST.strip().splitlines(),
    "# is_whole FOLDER PATTERN: whether files of a set have their digests",
    "is_whole() {",
    '  (cd "$1" && fits manifest-sha256.txt && grep "  $2\\$" manifest-sha256.txt > "$WORK/listed" && check "$WORK/listed") \\',
    "    > /dev/null 2>&1",
    "}",
    "# salvage FOLDER STEM PLACE: unpacks what lies in whole packs, and lists what is missing",
    "salvage() {",
    '  folder="$1" stem="$2" place="$3"',
    '  last="$(last_pack "$folder" "$stem")" || return 1',
    '  size="$(sed -n "\\\\|\\"path\\": \\"$stem\\.0001\\.age\\"|{n;s/[^0-9]//g;p;q;}" "$folder/set.json")"',
    '  : > "$WORK/damaged"',
    "  number=1",
    '  while [ "$number" -le "$last" ]; do',
    '    is_whole "$folder" "$(printf \'%s\\.%04d\\.age\' "$stem" "$number")" || echo "$number" >> "$WORK/damaged"',
    "    number=$((number + 1))",
    "  done",
    '  mkdir -p "$place" || return 1',
    '  index_of "$folder" "$stem" > "$WORK/index" || {',
    '    echo "$stem: its index is damaged too; older versions may stand in place of newer ones" >> "$WORK/missing"',
    "    return 0",
    "  }",
    '  LC_ALL=C awk -v size="$size" -v last="$last" -v damaged="$WORK/damaged" -v runs="$WORK/runs" \'',
    "    BEGIN {",
    '      printf "" > runs',
    "      while ((getline number < damaged) > 0) lost[number + 0] = 1",
    "      for (n = 1; n <= last; n++) if (!(n in lost)) {",
    "        if (n == 1 || (n - 1) in lost) { run++; first[run] = n; begins[run] = (n - 1) * size }",
    "        final[run] = n; ends[run] = n * size",
    "      }",
    "      at = 1",
    "    }",
    '    function offset(line) { sub(/^.*"offset":/, "", line); sub(/[}].*$/, "", line); return line + 0 }',
    "    FNR == 1 && NR > 1 { at = 1 }",
    "    {",
    "      here = offset($0)",
    "      while (at < run && here >= begins[at + 1]) at++",
    "      is_open = run && final[at] == last",
    "    }",
    "    NR == FNR {",
    "      if (run && here >= begins[at] && (is_open || here <= ends[at])) {",
    "        if (!(at in from)) from[at] = here",
    "        to[at] = here",
    "      }",
    "      next",
    "    }",
    '    { link = "" }',
    '    /^[{]"type":"hardlink"/ {',
    '      link = $0; sub(/^.*,"link":"/, "", link); sub(/","pack":[0-9]*,"offset":.*$/, "", link)',
    "    }",
    '    { path = $0; sub(/^[{]"type":"[a-z-]*","path":"/, "", path); sub(/","size":[0-9]*,"mode":.*$/, "", path) }',
    "    link in left_out || !(run && at in from && here >= from[at] && (is_open || here < to[at])) {",
    "      if (!(path in left_out)) paths[++count] = path",
    "      left_out[path] = 1",
    "      next",
    "    }",
    "    # A file that changed while it was read stands there twice: the last one counts.",
    "    { delete left_out[path] }",
    "    END {",
    "      for (n = 1; n <= count; n++) if (paths[n] in left_out) { print paths[n]; delete left_out[paths[n]] }",
    "      for (r = 1; r <= run; r++) if (r in from && (final[r] == last || to[r] > from[r]))",
    '        printf "%d %d %.0f %.0f\\n", first[r], final[r], from[r] - begins[r] + 1,'
    " (final[r] == last ? -1 : to[r] - from[r]) > runs",
    "    }",
    '  \' "$WORK/index" "$WORK/index" > "$WORK/lost" || return 1',
    '  if [ "$folder" = "$SET" ]; then',
    '    readable < "$WORK/lost" > "$WORK/names" && without_older "$place" || return 1',
    "  else",
    '    standing "$stem" || return 1',
    '    LISTED=".*: No such file or directory\\$"',
    "  fi",
    '  sed "s|^|${place#"$TO"/}/|" "$WORK/names" >> "$WORK/missing"',
    '  LINKS=".*: No such file or directory\\$"',
    "  while read -r first final skip length; do",
    '    rm -f "$WORK"/ended-*',
    '    { packs "$folder" "$stem" "$first" "$final" && : > "$WORK/ended-age"; } |',
    '      { zstd --decompress --stdout --quiet && : > "$WORK/ended-zstd"; } |',
    '      { tail -c "+$skip" && : > "$WORK/ended-tail"; } |',
    '      { if [ "$length" -ge 0 ]; then head -c "$length" && cat > /dev/null; else cat; fi && : > "$WORK/ended-head"; } |',
    '      { unpack "$place" && : > "$WORK/ended-unpack"; } || :',
    "    ended age zstd tail head unpack || return 1",
    '  done < "$WORK/runs"',
    '  without_older "$place" || return 1',
    "  unset LISTED",
    "}",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A stream of the set or of its base, and what restores it."""

    name: str
    folder: str
    """`SET` or `BASE`, the variable of the folder that it lies in."""
    stem: str
    steps: tuple[Step, ...]
    salvage_place: str = ""
    """Where its files go below the target if packs are damaged; empty for what is of use only as a whole."""
    way: tuple[str, str] | None = None
    """Of a list of what was removed: the stem of the files that are unpacked behind it, and their place."""

    @property
    def salvage(self) -> str:
        """The command for when packs of it are damaged: it unpacks what is whole, or makes way for what comes behind; empty for none."""
        if self.way is not None:
            stem, place = self.way
            return f'make_way {stem} "$TO/{place}"'
        return f'salvage "${self.folder}" {self.stem} "$TO/{self.salvage_place}"' if self.salvage_place else ""

    @property
    def wholeness(self) -> str:
        """The command that tells whether its packs are whole."""
        return f'is_whole "${self.folder}" "{self.stem}\\.[0-9]*\\.age"'

    def salvage_by_hand(self) -> Iterator[str]:
        """Yield the lines that stand for its commands in a salvage."""
        if self.salvage_place:
            yield self.salvage
            return
        commands = _joined(self.commands(CommandUse.ALWAYS))
        if self.way is None:
            yield from commands
            return
        yield from (f"if {self.wholeness}; then", *_indented(commands), f"else {self.salvage}; fi")

    def commands(self, use: CommandUse) -> tuple[Commands, ...]:
        """Return the commands of one kind."""
        return tuple(step for step in self.steps if isinstance(step, Commands) and step.use is use)


@dataclass(frozen=True, slots=True)
class ScriptSteps:
    """What a script is made of, beside what is the same in all of them."""

    set_id: SetId
    recipients: tuple[str, ...]
    signature: tuple[Commands, ...]
    base_id: str
    """Empty for a full set."""
    base: tuple[Commands, ...]
    """Where it is; then checks of what is in it, which a salvage goes on without."""
    parts: tuple[Part, ...]
    put_back: tuple[str, ...]
    """Commands that copy restored files to where they were."""
    apart: tuple[Message, ...] = ()
    """Where other folders go."""
    lacks: tuple[Message, ...] = ()
    """What the set itself has not, however well it is restored; no text from outside."""


def restore_script(steps: ScriptSteps) -> str:
    """Return the script."""
    return "".join(f"{line}\n" for line in _lines(steps))


def _lines(steps: ScriptSteps) -> Iterator[str]:
    loads = [command for part in steps.parts for command in part.commands(CommandUse.DATABASES)]
    left = [
        part.name
        for part in steps.parts
        if part.commands(CommandUse.BY_HAND) and not part.commands(CommandUse.DATABASES)
    ]
    yield from (
        "#!/bin/sh",
        f"# Restores backup set {steps.set_id} with stock programs alone. It is made for sh, not for bash: sh {SCRIPT} --help",
        "set -eu",
        "unset CDPATH TAR_OPTIONS GREP_OPTIONS POSIXLY_CORRECT || :",
        'case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in vi*) VI=yes ;; *) VI="" ;; esac',
        "export LC_ALL=C",
        'say() { if [ -n "$VI" ]; then printf \'%s\\n\' "$2"; else printf \'%s\\n\' "$1"; fi; }',
        "help() {",
        "  cat <<'END'",
        *(line for language in ("en", "vi") for line in (*_help(steps, language, bool(loads)), "")),
        "END",
        "}",
        'SALVAGE="" DATABASES="" DAMAGED="" DONE="" WORK="" AT=""',
        "for option; do",
        '  case "$option" in',
        "    --salvage) SALVAGE=yes ;;",
        "    --databases) DATABASES=yes ;;",
        "    -h | --help) help; exit 0 ;;",
        f"    *) {_say(msg('error: {option}: no such option; see {script} --help', option='$option', script=SCRIPT))} >&2; exit 2 ;;",
        "  esac",
        "done",
        'if [ -z "${KEY-}" ] || [ -z "${TO-}" ]; then',
        f"  {_say(msg('error: KEY or TO is not set; see {script} --help', script=SCRIPT))} >&2",
        "  exit 2",
        "fi",
        f'PROGRAMS="{" ".join(PROGRAMS)}"',
    )
    if loads:
        needs = " ".join(dict.fromkeys(need for command in loads for need in command.needs))
        yield f'[ -z "$DATABASES" ] || PROGRAMS="$PROGRAMS {needs}"'
    yield from (
        "for program in $PROGRAMS; do",
        '  command -v "$program" > /dev/null 2>&1 || {',
        f"    {_say(msg('error: the program {program} is missing; install it and start again', program='$program'))} >&2",
        "    exit 1",
        "  }",
        "done",
        'SET="$(cd -- "$(dirname -- "$0")" && pwd -P)"',
        # Every way out comes here. Programs end with 3 as well, so only the end of the script may.
        "leave() {",
        '  [ -z "$WORK" ] || rm -rf "$WORK"',
        '  [ -z "$DONE" ] || return 0',
        f"  {_say(msg('error: stopped at this step, and nothing after it was done: {step}', step='$AT'))} >&2",
        "  exit 1",
        "}",
        "trap leave EXIT",
        "trap 'exit 1' HUP INT TERM",
        'step() { AT="$(say "$@")"; say "$@"; }',
        "",
        _step(msg("Checking KEY, TO and BASE")),
        *places(steps.base_id),
        f"{{ echo '{_FIRST_LINE}'; {_say(_UNFINISHED)}; echo; }} > \"$TO/{UNFINISHED}\"",
        # A salvage keeps what a check has named, and goes on.
        "damaged() {",
        '  [ -s "$WORK/checked" ] || echo "tagmanifest-sha256.txt: FAILED" > "$WORK/checked"',
        '  sed "s|^|$1|" "$WORK/checked" | tee -a "$WORK/failed"',
        f'  [ -n "$SALVAGE" ] || {{ {_say(_DAMAGED)} >&2; exit 1; }}',
        "  DAMAGED=yes",
        "}",
        ': > "$WORK/failed"',
        "",
        *CHECKING,
        "",
        *FUNCTIONS,
        "",
        *SALVAGE,
        "",
        _step(msg("Checking every byte of the set")),
        'cd "$SET"',
        'if [ -n "$SALVAGE" ]; then',
        '  fits tagmanifest-sha256.txt || stop "tagmanifest-sha256.txt: damaged"',
        "  for needed in manifest-sha256.txt set.json; do",
        '    fits "$needed" && grep "  $needed\\$" tagmanifest-sha256.txt | sha256sum --check --status --strict || stop "$needed: damaged"',
        "  done",
        "fi",
        *(f'{line} > "$WORK/checked" || damaged ""' for line in CHECK),
    )
    if steps.signature:
        yield from (
            'if [ -n "$ALLOWED" ]; then',
            f"  {_step(msg('Checking the signature'))}",
            *_indented(_joined(steps.signature)),
            "fi",
        )
    if steps.base:
        where, *checks = steps.base
        yield from ("", _step(msg("Checking the base")), *where.lines)
        for line in _joined(checks):
            yield f'{line} > "$WORK/checked" || damaged BASE/'
        # Without them the base's packs are not counted for certain.
        yield 'grep -e "^BASE/manifest-sha256.txt: " -e "^BASE/set.json: " "$WORK/failed" >> "$WORK/missing" || :'
    for part in steps.parts:
        yield from _restored(part)
    yield CLOSING
    if loads:
        yield from ("", 'if [ -n "$DATABASES" ]; then')
        for part in steps.parts:
            yield from _loaded(part)
        yield "fi"
    yield from _end(steps, left, has_loads=bool(loads))


def _restored(part: Part) -> Iterator[str]:
    yield from (
        "",
        _step(msg("Restoring {stream}", stream=part.name)),
        f"if {_wholeness_test(part)}; then",
        *_indented(_joined(part.commands(CommandUse.ALWAYS))),
        "else",
        *([] if part.salvage_place else [f"  echo '{part.name}' >> \"$WORK/missing\""]),
        *([f"  {part.salvage}"] if part.salvage else []),
        "fi",
    )


def _loaded(part: Part) -> Iterator[str]:
    commands = part.commands(CommandUse.DATABASES)
    if commands:
        yield f"  {_step(msg('Loading {stream}', stream=part.name))}"
        yield f"  if {_wholeness_test(part)}; then"
        yield from _indented(_joined(commands), 4)
        yield "  fi"


def _wholeness_test(part: Part) -> str:
    return f'[ -z "$SALVAGE" ] || {part.wholeness}'


def _end(steps: ScriptSteps, left: Sequence[str], *, has_loads: bool) -> Iterator[str]:
    yield from ("", _step(msg("What is left to do")))
    if steps.put_back:
        yield _say(
            msg(
                "Below $TO these folders have the paths as they were below /. To put them back: make the accounts with the same"
                " numbers, restore as root so that owners are kept, stop the portal, compare, then copy. What exists stays as it is:"
            )
        )
        yield """QUOTED="'$(printf '%s\\n' "$TO" | sed "s/'/'\\\\\\\\''/g")'\""""
        yield from (f"printf '%s\\n' {_quoted(f'  {command}')}" for command in steps.put_back)
        yield '[ "$(id -u)" -eq 0 ] || ' + _say(msg("You are not root: the files belong to you, not to their owners."))
    yield from map(_say, steps.apart)
    if has_loads:
        yield '[ -n "$DATABASES" ] || ' + _say(
            msg(
                "No database was loaded. Start again with --databases and another TO, or follow RESTORE.en.md, section 3."
            )
        )
    if left:
        yield _say(msg("To be loaded by hand, see RESTORE.en.md, section 3: {streams}", streams=", ".join(left)))
    yield from (f"{_say(each)} >&2" for each in steps.lacks)
    yield from (
        "DONE=yes",
        'if [ -n "$DAMAGED" ]; then',
        f"  {_say(msg('Damaged, and to be replaced from another copy:'))} >&2",
        '  cat "$WORK/failed" >&2',
        "fi",
        'if [ -s "$WORK/missing" ]; then',
        f'  list_missing > "$TO/{UNFINISHED}"',
        f"  {_say(msg('Not everything could be restored. Missing, see {file}:', file=f'$TO/{UNFINISHED}'))} >&2",
        '  head -n 20 "$WORK/missing" >&2',
        f"  exit {INCOMPLETE}",
        "fi",
        f'rm "$TO/{UNFINISHED}"',
        _say(msg("Everything was restored: $TO")),
    )


_DAMAGED = msg("The set is damaged. Use another copy of it, or --salvage to restore what is whole.")
_UNFINISHED = msg("This restore has not finished: what is here is incomplete.")


def _help(steps: ScriptSteps, language: str, has_loads: bool) -> Iterator[str]:
    usage = f"KEY=FILE TO=FOLDER [BASE=FOLDER] sh {SCRIPT} [--salvage]{' [--databases]' if has_loads else ''}"
    said = [
        msg("Restore backup set {set}", set=steps.set_id),
        msg("KEY        private key of one of: {keys}", keys=" ".join(steps.recipients)),
        msg("TO         where to; a new or empty folder"),
    ]
    if steps.base:
        said.append(msg("BASE       folder of the full set that this one builds on; beside this one if not given"))
    if steps.signature:
        said.append(msg("ALLOWED    file allowed_signers: check the signature first; not one that lies beside the set"))
    said.append(
        msg(
            "--salvage  leave out damaged packs, restore what is whole, list what is missing; exit code 3 if there is any"
        )
    )
    if has_loads:
        said += [
            msg(
                "--databases  also load dumps into new databases, by PGHOST, PGUSER, ~/.my.cnf; names that exist are refused"
            ),
            msg("PREFIX, SUFFIX  around the names of those databases; _restored behind them if not given"),
        ]
    said.append(
        msg(
            "Exit codes: 0 everything was restored, 1 stopped at an error, 2 wrong use, 3 something is missing. Paths may be relative."
        )
    )
    first, *others = (render(each, language) for each in said)
    yield from (first, "", f"    {usage}", "", *others)


def _say(message: Message) -> str:
    """Return the command that prints a message in the language of the user; `$option` and the like are variables of the script."""
    return f"say {_quoted(render(message, 'en'))} {_quoted(render(message, 'vi'))}"


def _step(message: Message) -> str:
    """Return the command that says what is done from here on, which is named if it fails."""
    return _say(message).replace("say", "step", 1)


_VARIABLES = ("$option", "$program", "$AT", "$TO", QUOTED)


def _quoted(text: str) -> str:
    """Quote a text for sh; only the variables that the script's messages name are filled in."""
    for name in _VARIABLES:
        text = text.replace(name, f"\0{name}\0")
    pieces = text.split("\0")
    return "".join(f'"{piece}"' if piece in _VARIABLES else shlex.quote(piece) for piece in pieces if piece)


def _joined(commands: Sequence[Commands]) -> Iterator[str]:
    return (line for command in commands for line in command.lines)


def _indented(lines: Sequence[str] | Iterator[str], width: int = 2) -> Iterator[str]:
    return (" " * width + line for line in lines)
