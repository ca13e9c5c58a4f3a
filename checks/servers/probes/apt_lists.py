"""How old apt's lists are: the times of its stamps, and the dates inside the signed release files. Debian and Ubuntu.

`lists/partial` changes with every `apt-get update`, also with one that fails; the stamps only after one that ended well, where the
daily timer or a hook writes them. The age of the mirror itself shows only in `Date` and `Valid-Until`, which the archive
signed.

Of apt's settings (apt.conf(5), and what its examples/configure-index lists) those are known here that change nothing of what is
upgraded, or have the delivered value. Every other one is named: `elsewhere` what may change apt's own answers, such as
`Dir::State::status`, and files of settings that the account can't read; `installs` what may change how fixes are installed, of dpkg's
too; `hook` a command that runs then or after an update of lists, where no package's unchanged file brought it. Values are not told.

    stamp 1795569431 /var/lib/apt/lists/partial
    release /var/lib/apt/lists/deb.debian.org_debian-security_dists_trixie-security_InRelease
    Date: Mon, 23 Nov 2026 11:22:38 UTC
    Valid-Until: Mon, 30 Nov 2026 11:22:38 UTC
    end
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v apt-get >/dev/null || exit 127
L=/var/lib/apt/lists
for f in /etc/apt/apt.conf /etc/apt/apt.conf.d/* /etc/apt/preferences /etc/apt/preferences.d/* /etc/apt/sources.list /etc/apt/sources.list.d/*; do
  [ -r "$f" ] || [ ! -e "$f" ] || printf '%s\n' "$f" | sed 's/[^!-~]/?/g; s/^/elsewhere /'
done
{
  # files of packages that nobody changed: what they run is the packages' own
  sed -n 's#^ \(/etc/apt/apt.conf.d/[^ ]*\) \([0-9a-f]\{32\}\)$#\2  \1#p' /var/lib/dpkg/status |
    { md5sum -c 2>/dev/null || :; } | sed -n 's/: OK$//p' | xargs -r sed 's/^/own /'
  sed -n 's/^[ \t]*\([a-z].*\)/dpkg \1/p' /etc/dpkg/dpkg.cfg /etc/dpkg/dpkg.cfg.d/* 2>/dev/null
  apt-config dump | sed 's/^/set /' || exit $?
} | awk -v arch="$(dpkg --print-architecture)" 'BEGIN {
  n = split("dir=/ dir::state=/var/lib/apt dir::state::lists=/var/lib/apt/lists dir::state::status=/var/lib/dpkg/status dir::state::cdroms=/var/lib/apt/cdroms.list dir::state::extended_states=/var/lib/apt/extended_states dir::etc=/etc/apt dir::etc::sourcelist=/etc/apt/sources.list dir::etc::sourceparts=/etc/apt/sources.list.d dir::etc::main=/etc/apt/apt.conf dir::etc::parts=/etc/apt/apt.conf.d dir::etc::netrc=/etc/apt/auth.conf dir::etc::netrcparts=/etc/apt/auth.conf.d dir::etc::trusted=/etc/apt/trusted.gpg dir::etc::trustedparts=/etc/apt/trusted.gpg.d dir::etc::preferences=/etc/apt/preferences dir::etc::preferencesparts=/etc/apt/preferences.d dir::bin::methods=/usr/lib/apt/methods dir::bin::solvers::=/usr/lib/apt/solvers dir::bin::planners::=/usr/lib/apt/planners dir::bin::dpkg=/usr/bin/dpkg rootdir=/", w, " ")
  for (i = 1; i <= n; i++) { split(w[i], p, "="); usual[p[1]] = p[2] }
  n = split("metakey=$(COMPONENT)/binary-$(ARCHITECTURE)/Packages flatmetakey=Packages optional=0", w, " ")
  for (i = 1; i <= n; i++) { split(w[i], p, "="); index_of[p[1]] = p[2] }
}
function say(kind, name) { gsub(/[^!-~]/, "?", name); print kind " " name }
$1 == "own" { own = own $0 "\n"; next }
$1 == "dpkg" {
  sub(/[ \t]+$/, "")
  if ($2 !~ /^(no-debsig|log|force-(unsafe-io|conf(def|old|new|miss|ask)))/ && $0 !~ "^dpkg path-(ex|in)clude[ =]*/usr/share/(doc|man|info|locale|groff|lintian|linda|gnome/help|omf)/[^.]*$") say("installs", "dpkg:" substr($0, 6, 60))
  next
}
{
  sub(/^set /, ""); k = tolower($1); sub(/^binary::[^:]+::/, "", k)
  v = $0; sub(/^[^ ]+ "/, "", v); sub(/";$/, "", v)
  if (k ~ /^(rootdir|dir)(::|$)/) {
    if (k ~ /^dir::(cache|log|media|boot|usr|ignore-files-silently)(::|$)/ || (v == "" && (!(k in usual) || tolower($1) != k))) next
    if (k ~ /^dir::bin::(gzip|bzip2|xz|lz4|zstd|lzma|gpg|apt-key)$/ && v ~ /^(\/usr)?\/bin\/[a-z0-9-]+$/) next
    sub(/\/$/, "", v)
    if (v !~ /^\//) v = (k ~ /^dir::state:/ ? "/var/lib/apt/" : k ~ /^dir::etc:/ ? "/etc/apt/" : "/") v
    if (!(k in usual) || v != usual[k]) say("elsewhere", $1)
    next
  }
  if (v == "") next
  if (k ~ /^acquire::indextargets::deb::packages::/) {
    t = k; sub(/.*::/, "", t)
    if (t !~ /description$/ && v != index_of[t]) say("elsewhere", $1)
  } else if (k ~ /^dpkg::(pre-install-pkgs|pre-invoke|post-invoke)::/ || k ~ /^apt::update::(pre|post)-invoke[a-z-]*::/) {
    t = v; sub(/[ \t;=].*/, "", t)
    if (v !~ /^((\/usr)?\/bin\/)?true$/ && !index(own, "\"" v "\"")) say("hook", $1 substr(t, 1, 60))
  } else if (k ~ /^dpkg::/) {
    if (k ~ /^dpkg::path$/ ? v != "/usr/sbin:/usr/bin:/sbin:/bin" : k ~ /^dpkg::options::/ ? v !~ /^--force-(unsafe-io|conf(def|old|new|miss|ask))$/ : k !~ /^dpkg::(progress.*|use-pty|lock::.*|inhibit-shutdown|tools::.*|maxargbytes|flushstdin)$/) say("installs", $1)
  } else if (k ~ /^debug::/) {
    say("installs", $1)
  } else if (k ~ /^(unattended-upgrades?|apt::unattendedupgrades)::/) {
    if (k ~ /::(package-whitelist-strict|installonshutdown|allow-downgrade)$/ ? v !~ /^(false|0|no|off)$/ : k !~ /^unattended-upgrades?::(origins-pattern|allowed-origins|package-(black|white)list|update-days|mail|mailreport|mailonlyonerror|sender|remove-.*|automatic-reboot.*|verbose|debug|syslog.*|minimalsteps|autofixinterrupteddpkg|keep-debs-after-install|onlyonacpower|skip-updates-on-metered-connections|ignoreappsrequirerestart|devrelease|allow-apt-mark-fallback|postpone-.*)(::.*)?$/) say("installs", $1)
  } else if (k ~ /^apt::compressor::/) {
    if (k ~ /::binary$/ && v !~ /^(false|gzip|bzip2|xz|lz4|zstd|lzma)$/) say("elsewhere", $1)
  } else if (k == "apt::architecture") {
    if (v != arch) say("elsewhere", $1)
  } else if (k == "apt::architectures::") {
    foreign = $1; if (v == arch) native = 1
  } else if (k ~ /^apt::/) {
    if (k !~ /^apt::(default-release|build-essential|install-(recommends|suggests)|autoremove|neverautoremove|versionedkernelpackages|never-markauto-sections|move-autobit-sections|protect-kernels|key|sandbox|periodic|archives|color|output-version|cache|cache-(limit|start|grow)|cmd|keep-downloaded-packages|internal|update|changelogs|clean-installed|list-cleanup|authentication|extracttemplates|get::(assume-yes|show-upgraded|show-versions|automaticremove|purge|show-user-simulation-note|always-include-phased-updates|upgrade-allow-new|update|allowunauthenticated|list-cleanup|autoclean|download|fix-broken|hidekernels|reinstall))(::.*)?$/) say("elsewhere", $1)
  }
}
END { if (foreign != "" && !native) say("elsewhere", foreign) }'
for f in /var/lib/apt/periodic/update-success-stamp /var/lib/apt/periodic/update-stamp $L/partial; do
  [ -e "$f" ] && stat -c 'stamp %Y %n' "$f"
done
for f in $L/*_InRelease $L/*_Release; do
  [ -f "$f" ] || continue
  printf 'release %s\n' "$f"
  grep -a -E '^(Date|Valid-Until):' "$f"
done
echo end
"""


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One archive's signed release file, as it lies on the host."""

    name: str
    made_at: datetime | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Lists:
    """The age of what apt knows."""

    refreshed_at: datetime | None
    """The newest moment at which they surely were: a stamp of an update that ended well, or the `Date` of what it brought."""
    releases: tuple[ReleaseFile, ...]
    tried_at: datetime | None = None
    """When they were last to be, be it in vain."""
    elsewhere: tuple[str, ...] = ()
    """Settings that are not known to leave apt's answers alone: `Dir::State::status`, or a file of settings that can't be read."""
    installs: tuple[str, ...] = ()
    """Settings that are not known to leave alone how fixes are installed: `DPkg::Options::`, `dpkg:path-exclude=/usr/sbin/*`."""
    hooks: tuple[str, ...] = ()
    """Commands that run then, and that are of no package: `DPkg::Pre-Invoke::/opt/before`."""


def parse(output: Output) -> Lists:
    """Read stamps and release files."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the listing of apt's files is cut short"))
    done: list[datetime] = []
    tried_at: datetime | None = None
    named: dict[str, list[str]] = {"elsewhere": [], "installs": [], "hook": []}
    releases: list[ReleaseFile] = []
    for line in lines[:-1]:
        word, _, rest = line.strip().partition(" ")
        if word == "stamp" and rest.split(" ", 1)[0].isdigit():
            seconds, _, name = rest.partition(" ")
            at = datetime.fromtimestamp(int(seconds), UTC)
            if name.endswith("/partial"):
                tried_at = at
            else:
                done.append(at)
        elif word in named:
            named[word].append(rest)
        elif word == "release":
            releases.append(ReleaseFile(rest.rsplit("/", 1)[-1], None, None))
        elif word == "Date:" and releases:
            last = releases.pop()
            releases.append(ReleaseFile(last.name, _moment(rest), last.valid_until))
        elif word == "Valid-Until:" and releases:
            last = releases.pop()
            releases.append(ReleaseFile(last.name, last.made_at, _moment(rest)))
        else:
            raise Unparseable(msg("a line of apt's files cannot be parsed: {line}", line=shown(line, 80)))
    done += [each.made_at for each in releases if each.made_at is not None]
    return Lists(max(done, default=None), tuple(releases), tried_at, *map(tuple, named.values()))


def _moment(text: str) -> datetime:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError as error:
        raise Unparseable(msg("a release file has the date {seen}", seen=shown(text, 40))) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


PROBE = Probe("apt.lists", ("sh", "-c", _SCRIPT), parse)
