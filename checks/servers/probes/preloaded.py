"""Libraries that are put into every program of the host and that no package brings: what its programs print can't be relied on then.

Looked at are /etc/ld.so.preload, `LD_PRELOAD` and `LD_AUDIT` in systemd's environment and in this shell's, and what this shell has mapped
beside itself and the C library. A library without a whole path counts as one of no package; so does a file that cannot be read. ld.so(8).

    /usr/local/lib/hide.so
    end
"""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v grep >/dev/null || exit 127
{
  if [ -e /etc/ld.so.preload ]; then if [ -r /etc/ld.so.preload ]; then sed 's/#.*//' /etc/ld.so.preload; else echo unread; fi; fi
  [ ! -d /run/systemd/system ] || systemctl show -p Environment 2>/dev/null | tr ' ' '\n' | sed -nE 's/.*LD_(PRELOAD|AUDIT)=//p'
  printf '%s\n' "${LD_PRELOAD-}" "${LD_AUDIT-}"
  sed -nE 's/^[^ ]+ r-x[ps] [^ ]+ [^ ]+ [0-9]+ +(\/.*)$/\1/p' "/proc/$$/maps" 2>/dev/null |
    grep -vE '^/(usr/)?(s?bin/(dash|bash|sh|busybox|ksh[a-z0-9]*)|lib(64|exec)?/([a-z0-9_]+-linux-[a-z0-9]+/)?(ld-linux[a-z0-9_.-]*|ld|ld64|libc|libtinfo|libdl|libm|libpthread|libreadline|libselinux|libpcre2-8)(-[0-9.]+)?\.so[0-9.]*)$'
} | tr -s ': \t' '\n\n\n' | grep . | sort -u | head -n 50 | while IFS= read -r f; do
  case $f in
  /*) r=$(readlink -f -- "$f") || r=
    if [ "$r" ]; then
      if command -v dpkg-query >/dev/null; then o=$(dpkg-query -S "$r" "/usr$r" "${r#/usr}" 2>/dev/null); else o=$(rpm -qf "$r" 2>/dev/null) || o=; fi
      [ ! "$o" ] || continue
    fi ;;
  esac
  printf '%s\n' "$f"
done
echo end
"""


def parse(output: Output) -> tuple[str, ...]:
    """Return their names; none where every program is as its package brought it."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the list of preloaded libraries is cut short"))
    return tuple(shown(line, 100) for line in lines[:-1])


PROBE = Probe("host.preload", ("sh", "-c", _SCRIPT), parse)
