"""Files that give who runs them more rights: setuid, setgid and capabilities, anywhere on the host's own file systems.

Every folder is read, so a look speaks for a week. Left out is what gives nobody anything: file systems mounted `nosuid`, and
folders that root alone can enter, such as a store of containers. File systems that are not known, such as those of another
machine, and folders of root's that have further rights (ACL), are told as `unsearched`. A host with so many files that the search takes more than
five seconds of its processor has not answered. Of each file it is asked which package delivers it: of dpkg with the time
when that package's list of files was written (ctime), of rpm with the delivered mode. Of a name with a line
end its folder is told, `?` and the file's number, by which `find FOLDER -inum NUMBER` finds it. find(1), getcap(8), dpkg-query(1), rpm(8), proc_pid_mountinfo(5).

    id 4755 root:root 1795143731.5532000000 /usr/bin/su
    /usr/bin/ping cap_net_raw=ep
    dpkg util-linux 1795143730 /usr/bin/su
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from checks.servers.probe import WEEK, Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v find >/dev/null || exit 127
ulimit -t 5
L='
' D=' '
set --
while read -r x x n r m o rest; do
  t=${rest#*- }
  case ,$o, in *,nosuid,*) continue ;; esac
  case ${t%% *} in
  ext?|xfs|btrfs|zfs|f2fs|jfs|overlay|tmpfs|bcachefs|reiserfs|nilfs2) ;;
  proc|sysfs|cgroup*|dev*|mqueue|hugetlbfs|debugfs|tracefs|securityfs|selinuxfs|pstore|bpf|configfs|fusectl|autofs|binfmt_misc|rpc_pipefs|nfsd|efivarfs|nsfs|ramfs|vfat|msdos|exfat|iso9660|udf|squashfs|erofs) continue ;;
  *) printf 'unsearched %s %s\n' "${t%% *}" "$m"; continue ;;
  esac
  case $D in *" $n$r "*) continue ;; esac
  D="$D$n$r "
  m=$(printf '%b' "$m")
  [ ! -d "$m" ] || set -- "$@" "$m"
done </proc/self/mountinfo || exit 4
P='import os, sys
for path in sys.argv[1:]:
    try:
        print(os.fsencode(path).decode("utf-8", "replace"), "cap:" + os.getxattr(path, "security.capability").hex())
    except OSError:
        pass'
if command -v getcap >/dev/null; then G='getcap --'
elif command -v python3 >/dev/null; then G='python3 -c'
else G=true; echo capabilities-unseen
fi
F=$(
  IFS=' '
  [ "$G" = 'python3 -c' ] || P=--
  [ "$G" != 'getcap --' ] || G=getcap
  find "$@" -ignore_readdir_race -xdev \
    \( -type d -uid 0 ! -perm -001 \( ! -perm -010 -o -gid 0 \) ! -path / \( ! -perm -010 -o -printf 'closed %p\n' \) -prune \) -o -type f -perm /111 \( \
    \( -perm /6000 -path "*$L*/*" -printf 'id %m %u:%g %C@ /?%i\n' \) , \
    \( -perm /6000 -name "*$L*" ! -path "*$L*/*" -printf 'id %m %u:%g %C@ %h/?%i\n' \) , \
    \( -perm /6000 ! -path "*$L*" -printf 'id %m %u:%g %C@ %p\n' \) , \
    \( -path "*$L*/*" -printf 'odd /?%i\n' \) , \( -name "*$L*" ! -path "*$L*/*" -printf 'odd %h/?%i\n' \) , \
    \( ! -path "*$L*" -exec $G "$P" {} + \) \)
) || exit 3
printf '%s\n' "$F" | grep -v '^closed '
printf '%s\n' "$F" | sed -n 's/^closed //p' | xargs -d '\n' -r ls -ld 2>/dev/null | sed -n 's/^d.........+[^/]*\(\/.*\)/unsearched acl \1/p'
set -f
IFS=$L
set -- $(printf '%s\n' "$F" | sed -n -e 's/^id [0-7]* [^/]*:[^/]* [0-9.]* \(\/.*\)/\1/p' -e 's/^\(\/.*[^ =]\)\( =\)\{0,1\} [^ ]*$/\1/p')
if command -v dpkg-query >/dev/null; then
  for p; do case $p in /usr/*) set -- "$@" "${p#/usr}" ;; esac; done
  [ $# = 0 ] || dpkg-query -S "$@" 2>/dev/null | while IFS= read -r l; do
    k=${l%%: *} p=${l#*: }
    case $k in *,*|*' '*) continue ;; esac
    a=/var/lib/dpkg/info/$k.list
    [ -e "$a" ] || a=/var/lib/dpkg/info/${k%%:*}.list
    [ ! -e "$a" ] || printf 'dpkg %s %s %s\n' "$k" "$(stat -c %Z -- "$a")" "$p"
  done
elif command -v rpm >/dev/null; then
  for p; do
    k=$(rpm -qf --qf '%{NAME}\n' -- "$p" 2>/dev/null | head -n 1) && [ "$k" ] || continue
    rpm -q --qf '[rpm %{=NAME} %{FILEMODES:octal} %{FILENAMES}\n]' -- "$k" | P=$p awk 'substr($0, index($0, " /") + 1) == ENVIRON["P"]'
  done
fi
echo end
"""
_ID = re.compile(r"id (?P<mode>[0-7]{1,5}) (?P<owner>[^/]+:[^/]+) (?P<at>\d{1,11})(\.\d{1,12})? (?P<path>/.*)")
_CAPABLE = re.compile(r"(?P<path>/.*?)(?: =)? (?P<caps>(?:cap_|=|cap:)\S*)")
_DPKG = re.compile(r"dpkg (?P<name>\S+) (?P<at>\d{1,11}) (?P<path>/.*)")
_RPM = re.compile(r"rpm (?P<name>\S+) (?P<mode>[0-7]{1,7}) (?P<path>/.*)")


class IdFile(NamedTuple):
    """A file with setuid or setgid."""

    rights: str
    """Mode in octal, owner and group."""
    changed_at: datetime
    """By the kernel's own time (ctime)."""


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """The package that a file is of."""

    package: str
    listed_at: datetime | None = None
    """When dpkg wrote the package's list of files."""
    mode: int | None = None
    """With which rpm delivered it."""


@dataclass(frozen=True, slots=True)
class PrivilegedFiles:
    """What was found."""

    ids: Mapping[str, IdFile]
    """By path."""
    capable: Mapping[str, str] | None
    """Capabilities by path; None where the host has nothing that shows them."""
    delivered: Mapping[str, PackagedFile] = field(default_factory=dict)
    """By path; what is not here is of no package."""
    odd: tuple[str, ...] = ()
    """Programs whose capabilities were not asked for, since their names have line ends."""
    unsearched: tuple[str, ...] = ()
    """Where setuid may have effect and nothing was looked for: by type of the file system, or `acl` of a folder of root's that further
    rights may open to others."""


def parse(output: Output) -> PrivilegedFiles:
    """Read them; a host without one setuid file has not answered fully."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the search for setuid files is cut short"))
    ids: dict[str, IdFile] = {}
    capable: dict[str, str] = {}
    delivered: dict[str, PackagedFile] = {}
    odd, unsearched = [], []
    for line in lines[:-1]:
        if row := _ID.fullmatch(line):
            at = datetime.fromtimestamp(int(row["at"]), UTC)
            ids[row["path"]] = IdFile(f"{row['mode']} {row['owner']}", at)
        elif row := _CAPABLE.fullmatch(line):
            capable[row["path"]] = row["caps"]
        elif row := _DPKG.fullmatch(line):
            delivered[row["path"]] = PackagedFile(row["name"], datetime.fromtimestamp(int(row["at"]), UTC))
        elif row := _RPM.fullmatch(line):
            delivered[row["path"]] = PackagedFile(row["name"], mode=int(row["mode"], 8))
        elif line.startswith("odd /"):
            odd.append(line[4:])
        elif line.startswith("unsearched "):
            unsearched.append(line.removeprefix("unsearched "))
        elif line != "capabilities-unseen":
            raise Unparseable(
                msg("the search for setuid files has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
    for path in (*ids, *capable):  # packages of before /bin became a link to /usr/bin name it there
        if path not in delivered and path.startswith("/usr/") and path[4:] in delivered:
            delivered[path] = delivered[path[4:]]
    return PrivilegedFiles(
        ids, None if "capabilities-unseen" in lines else capable, delivered, tuple(odd), tuple(unsearched)
    )


PROBE = Probe(
    "files.privileged",
    ("sh", "-c", _SCRIPT),
    parse,
    needs_root=True,
    timeout_seconds=120,
    repeated_for=WEEK,
)
