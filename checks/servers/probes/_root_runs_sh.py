"""The script of `files.root-runs`, for POSIX sh: it prints each path that root runs, and who may write it; it writes nothing."""

from __future__ import annotations

from checks.servers.probes._root_runs_awk import HANDED, NAMES, PICK, ROOTLY, VARIABLES


def _quoted(program: str) -> str:
    """Return a program as it stands between the quotes of sh."""
    return program.replace("'", "'\\''")


LINKS = r"""
links() {  # PATH: the place of each link on its way
  T=$1 B= N=0
  while [ "$T" ]; do
    c=${T%%/*}
    case $T in */*) T=${T#*/} ;; *) T= ;; esac
    case $c in ''|.) continue ;; ..) B=${B%/*}; continue ;; esac
    if [ -L "$B/$c" ] && [ $((N += 1)) -le 40 ]; then
      printf '%s\n' "$B/$c"
      c=$(readlink -- "$B/$c")
      case $c in /*) B= ;; esac
      T=$c/$T
    else B=$B/$c
    fi
  done
}
"""
"""A function that tells the links on the way to a path."""
_UNITS_SHOWN = (
    r"""
command -v find >/dev/null || exit 127
ROOTLY='"""
    + _quoted(ROOTLY)
    + r"""'
U= B=
if command -v systemctl >/dev/null; then
  e=$(find /etc/systemd/system /etc/systemd/system.control /run/systemd/system /usr/local/lib/systemd/system -type l -printf '%f\n%l\n' 2>/dev/null |
    sed 's/.*\///' | grep -E '^[A-Za-z0-9:_.-]+(@[A-Za-z0-9:_.-]+)?\.(service|timer|socket|path)$' | sort -u)
  B=$(for d in /usr/share/dbus-1 /usr/local/share/dbus-1 /etc/dbus-1 /run/dbus-1 /lib/dbus-1; do echo "$d/system-services"; done
    sed -n 's/.*.servicedir.\(\/[^<]*\).*/\1/p' /etc/dbus-1/*.conf /etc/dbus-1/system.d/*.conf /usr/share/dbus-1/system.conf 2>/dev/null)
  B=$(for d in $B; do [ ! -d "$d" ] || find "$d/" -name '*.service' 2>/dev/null; done)
  e="$e $([ ! "$B" ] || sed -n 's/^SystemdService=//p' $B 2>/dev/null | grep -E '^[A-Za-z0-9:_.-]+(@[A-Za-z0-9:_.-]+)?\.service$')"
  e="$e $([ ! "$e" ] || systemctl show $e -p Triggers 2>/dev/null | sed 's/^Triggers=//')"
  U=$(systemctl show '*.service' '*.timer' '*.socket' '*.path' $e -p Id -p User -p DynamicUser -p AmbientCapabilities -p FragmentPath -p DropInPaths \
    -p Environment -p EnvironmentFiles -p ExecCondition -p ExecStopPost -p ExecStart -p ExecStartPre -p ExecStartPost -p ExecStop -p ExecReload \
    -p ExecStartEx -p ExecStartPreEx -p ExecStartPostEx -p ExecStopEx -p ExecStopPostEx -p ExecReloadEx 2>/dev/null) || U=
  x=$(printf '%s\n' "$U" | sed -n 's/^FragmentPath=//p; s/^DropInPaths=//p' | tr ' ' '\n' | grep . | xargs -d '\n' -r grep -lsE '^[ \t]*PermissionsStartOnly[ \t]*=[ \t]*([yY1tT]|on)' -- | tr '\n' ' ')
  U=$(printf '%s\n' "$U" | awk -v given=" $x" "$ROOTLY")
fi
if [ ! "$U" ] && [ -d /run/systemd/system ]; then echo "systemctl does not tell the units" >&2; exit 3; fi
"""
)
"""Units of systemd, as systemctl shows them (`U`), and files of services of D-Bus (`B`)."""
_PREPARED = (
    r"""L='
' H=~root
exec 4>&1
set -f
IFS=$L
pick() { awk "$A"; }
A='"""
    + _quoted(PICK)
    + r"""'
NAMES='"""
    + _quoted(NAMES)
    + r"""'
HANDED='"""
    + _quoted(HANDED)
    + r"""'
VARIABLES='"""
    + _quoted(VARIABLES)
    + r"""'
"""
    + LINKS
    + r"""
names() { awk "$NAMES"; }
variables() { awk "$VARIABLES"; }
runnable() {  # of files that are named, the programs, scripts and libraries; and folders and files of further settings
  tr '\n' '\0' | xargs -0 -r sh -c 'for p; do case $p in "+"*) echo "?${p#?}" ;; esac; done; find -L "$@" -maxdepth 0 -type f \( -perm /111 -o -name "*.sh" -o -name "*.py" -o -name "*.pl" -o -name "*.php" \
    -o -name "*.rb" -o -name "*.lua" -o -name "*.js" -o -name "*.so" -o -name "*.so.*" \) 2>/dev/null; :' sh
}
texts() { find "$@" -xdev -type f -size -129k -print0 2>/dev/null | xargs -0 -r grep -D skip -IhsE '^[^#]*/' --; }
own() {  # KIND: of each path what root makes of it; of one with wildcards the folder and what is there
  set +f
  while IFS= read -r p; do
    k=$1
    case $p in [?]*) k=named p=${p#?} ;; esac
    case $p in
    *[*?[]*)
      d=${p%%[*?[]*}
      printf '%s %s\n' $k "${d%/*}"
      n=0
      for q in $p; do [ ! -e "$q" ] || { printf '%s %s\n' $k "$q"; [ $((n += 1)) -lt 200 ] || break; }; done ;;
    *) printf '%s %s\n' $k "$p" ;;
    esac
  done
}
timed() {  # FIELDS FILE: what root's lines of a crontab run, with its variables
  awk -v n="$1" '/^[ \t]*[A-Za-z_]+[ \t]*=/ { gsub(/[ \t]*=[ \t]*/, "="); v = v $0 "\n"; next }
    /^[ \t]*[0-9*@]/ { k = ($1 ~ /^@/ ? 1 : 5) + n; if (n && $k != "root") next; for (i = 1; i <= k; i++) $i = ""; printf "%s", v; v = ""; print }' "$2"
}
read_all() { head -vc 65536 -- "$@" 2>/dev/null; }
files() { find "$@" -maxdepth 1 -xdev \( -type f -o -type l \) ! -name .placeholder 2>/dev/null; }
"""
)
"""Functions, and the programs for awk."""
_JOBS = r"""set +f
R=$(
  for f in /etc/crontab /etc/anacrontab /etc/cron.d/*; do
    [ -f "$f" ] || continue
    echo "$f" | own cron
    case $f in */anacrontab) sed -n 's/^[0-9@][^ \t]*[ \t][ \t]*[0-9][0-9]*[ \t][ \t]*[^ \t]*[ \t]//p' "$f" ;;
    *) timed 1 "$f" ;; esac | pick | own cron
  done
  for f in /var/spool/cron/crontabs/root /var/spool/cron/root; do
    [ ! -f "$f" ] || { echo "$f"; timed 0 "$f" | pick; } | own cron
  done
  find /var/spool/cron/atjobs /var/spool/at -maxdepth 1 -type f -uid 0 ! -name '.*' -print0 2>/dev/null | xargs -0 -r sed '1,/^cd /d' | pick | own cron
  for d in /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly; do files "$d"; done | own cron
  {
    ! command -v cvtsudoers >/dev/null || cvtsudoers -c /dev/null -e -f sudoers /etc/sudoers 2>/dev/null | sed ':a;/\\$/{N;s/[ \t]*\\\n[ \t]*/ /;ba;}' | awk '
      match($0, /^Defaults.*secure_path *= *"?[^",]*/) { x = substr($0, 1, RLENGTH); sub(/.*= *"?/, "", x); gsub(/\\/, "", x); print "PATH=" x }
      /^Defaults/ { while (match($0, /(mailerpath|env_file|group_plugin|editor) *= *"?[^", ]*/)) { x = substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH); sub(/.*= *"?/, "", x); print x }; next }
      /^[A-Z][a-z]+_Alias/ || !/ = / { next }
      {
        who = "root"; sub(/^.* = /, ""); gsub(/\\,/, " "); n = split($0, c, /, */)
        for (i = 1; i <= n; i++) {
          x = c[i]
          if (match(x, /\([^)]*\)/)) { who = substr(x, RSTART + 1, RLENGTH - 2); x = substr(x, 1, RSTART - 1) substr(x, RSTART + RLENGTH) }
          while (sub(/^ *([A-Z_]+:|[A-Z]+=[^ ]*|sha[0-9]+:[^ ]*)/, "", x)) continue
          if (who ~ /(^|[ ,])(root|ALL|#0)/ && x ~ /^ *\//) {
            sub(/ *""$/, "", x); gsub(/\\/, "", x); print x
            # what is copied into settings or programs of root, and where it lies
            if (x ~ /^ *(\/usr)?\/bin\/(c[p]|m[v]|ln|[i]nstall|rsync) .* \/(etc|usr|s?bin|lib|opt|boot|root|var\/spool\/cron)\/[^ ]*$/) {
              m = split(x, w, / +/); for (j = 2; j < m; j++) if (w[j] ~ /^\/[^*?[]*$/) { print "@<" w[j]; sub(/\/[^\/]+\/?$/, "", w[j]); if (w[j] ~ /^\/./) print "@<" w[j] }
            }
          }
        }
      }'
    sed -nE 's/^[ \t]*permit.*[{ ]PATH=([^ }]*).*/PATH=\1/p; / as [^r]/d; s/^[ \t]*permit.* cmd ([^ ]+)( args (.*))?$/\1 \3/p' /etc/doas.conf 2>/dev/null
  } | { x=$(cat); printf '%s\n' "$x" | pick | grep -v '^?'; printf '%s\n' "$x" | sed -n 's/^@</?/p'; } | own sudo
  { [ ! -f /etc/rc.local ] || { echo /etc/rc.local; pick </etc/rc.local; }; files /etc/init.d; } | own rc
"""
"""Cron, at(1), sudo, doas and rc scripts; begins the list `R` of `KIND PATH`."""
_SHELLS = r"""  set --
  for f in /etc/profile /etc/bash.bashrc /etc/bashrc /etc/environment /etc/profile.d/*.sh "$H"/.profile "$H"/.bash_profile \
    "$H"/.bash_login "$H"/.bashrc "$H"/.bash_logout "$H"/.zshrc "$H"/.zprofile "$H"/.zshenv; do
    [ ! -f "$f" ] || set -- "$@" "$f"
  done
  [ $# = 0 ] || {
    printf '%s\n' "$@"
    x=$(read_all "$@" | pick)
    printf '%s\n' "$x"
    x=$(printf '%s\n' "$x" | grep -vE '^[?]|^/(usr/)?s?bin/')
    [ ! "$x" ] || read_all $x | tr -d '\0' | pick
  } | own shell
  printf '%s\n' /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin | own path
  for f in "$H"/.profile "$H"/.bash_profile "$H"/.bashrc /etc/environment; do
    [ ! -f "$f" ] || sed -nE "s/^[ \t]*(export )?PATH=[\"']?([^\"']*).*/\2/p" "$f" | tr ':' '\n' | grep '^/[^$]*$'
  done | own path
  find /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /usr/lib /usr/lib32 /usr/lib64 /usr/libexec /lib /boot -xdev ! -type l ! -perm -4000 \
    \( ! -uid 0 -o -perm /002 -o -perm /020 ! -gid 0 \) ! -path '*/auth_pam_tool_dir' 2>/dev/null | head -n 500 | own path
  find /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /etc/alternatives "$H" -maxdepth 1 -type l \( -path '/usr/*' -o -path '/etc/*' -o -name '.*' \) -print0 2>/dev/null |
    xargs -0 -r sh -c 'readlink -m -- "$@"' sh | grep -vE '^/(usr/(bin|sbin|lib|libexec|share)|bin|sbin|lib|etc|dev|proc|run)/' | own path
  [ ! -f /etc/ld.so.preload ] || { echo /etc/ld.so.preload; tr ' \t:' '\n' </etc/ld.so.preload | grep '^/[^$]*$'; } | own loader
  for f in /etc/ld.so.conf /etc/ld.so.conf.d/*.conf; do
    [ ! -f "$f" ] || { echo "$f"; sed 's/#.*//' "$f" | tr ' \t:,' '\n' | grep '^/[^*?[]*$'; }
  done | own loader
"""
"""Shells of root, folders in which programs are looked for, and the loader."""
_HOOKS = r"""  {
    ! command -v apt-config >/dev/null || apt-config dump 2>/dev/null |
      sed -nE 's/^(DPkg::(Pre|Post)-I|DPkg::Pre-Install|APT::Update::(Pre|Post)-Invoke)[^ ]* "(.*)";$/\4/Ip'
    grep -ohsE '(RUN|PROGRAM|IMPORT)([{]program[}])?[+:]?==?"[^"]*"' /etc/udev/rules.d/*.rules | sed 's/^[^"]*"\(.*\)"$/\1/'
    sed -n 's/^|//p' /proc/sys/kernel/core_pattern; cat /proc/sys/kernel/modprobe
    cat /etc/logrotate.conf /etc/logrotate.d/* 2>/dev/null |
      awk '/^[ \t]*endscript/ { on = 0 } on; /^[ \t]*(pre|post)(rotate|remove)|^[ \t]*(first|last)action/ { on = 1 }'
    grep -qsi 'privdrop' /etc/rsyslog.conf || sed -nE 's/.*binary="([^"]*)".*/\1/p' /etc/rsyslog.conf /etc/rsyslog.d/*.conf 2>/dev/null
  } 2>/dev/null | pick | own hook
  {
    ! command -v fail2ban-client >/dev/null || fail2ban-client -d 2>/dev/null | sed 's/\\n/\n/g' | tr "[]'\"" '\n\n  '
    texts /etc/fail2ban /etc/pam.conf /etc/pam.d /etc/dpkg /etc/modprobe.d /etc/network /etc/sysctl.conf /etc/sysctl.d /etc/dhcp /etc/ppp \
      /etc/NetworkManager /etc/acpi /etc/smartd.conf /etc/mdadm /etc/audit /etc/initramfs-tools /etc/needrestart /etc/kernel /etc/update-motd.d
  } | names | runnable | own hook
  for d in /etc/update-motd.d /etc/network/if-*.d /etc/kernel/*.d /etc/dhcp/*.d /etc/ppp/ip*.d /etc/NetworkManager/dispatcher.d \
    /etc/NetworkManager/dispatcher.d/*.d /etc/initramfs-tools/hooks /etc/initramfs-tools/scripts/* /etc/smartmontools/run.d /etc/apm/*.d \
    /etc/resolvconf/update*.d /etc/update.d /etc/needrestart/*.d /etc/grub.d /etc/X11/Xsession.d /usr/lib/systemd/system-shutdown \
    /usr/lib/systemd/system-sleep /etc/systemd/system-generators /usr/local/lib/systemd/system-generators; do [ ! -d "$d" ] || files "$d"; done | own hook
  find /etc/fail2ban /etc/pam.conf /etc/pam.d /etc/security /etc/dpkg /etc/modprobe.d /etc/modules /etc/modules-load.d /etc/network /etc/sysctl.conf \
    /etc/sysctl.d /etc/dhcp /etc/ppp /etc/NetworkManager /etc/acpi /etc/smartd.conf /etc/mdadm /etc/audit /etc/initramfs-tools /etc/needrestart /etc/kernel \
    /etc/update-motd.d /etc/systemd /etc/ssh /etc/sudo.conf /etc/sudoers /etc/sudoers.d /etc/apt /etc/udev /etc/default /etc/grub.d /etc/tmpfiles.d \
    /etc/sysusers.d /etc/binfmt.d /etc/environment.d /etc/profile.d /etc/logrotate.d /etc/logrotate.conf /etc/rsyslog.d /etc/init.d /etc/cron.d \
    /etc/systemd /run/systemd/system /run/systemd/generator /usr/local/lib/systemd -xdev ! -type l \( ! -uid 0 -o -perm /022 \) 2>/dev/null | own hook
  find /etc -xdev ! -type l \( -uid +999 -o -perm -002 -o -gid +999 -perm /020 \) 2>/dev/null | head -n 500 | own hook
  for d in /etc/tmpfiles.d /run/tmpfiles.d /usr/local/lib/tmpfiles.d /usr/lib/tmpfiles.d; do [ ! -d "$d" ] || echo "$d"; done | xargs -r -I{} find {} -name '*.conf' 2>/dev/null |
    xargs -d '\n' -r awk '$1 ~ /^[CL][^a-z]*$/ && $2 !~ /^\/(home|srv|tmp|run|var)\// && $7 ~ /^\// { print $7 }' 2>/dev/null | own hook
  { [ ! -f /etc/nftables.conf ] || echo /etc/nftables.conf; ls -d /etc/nftables/* /etc/nftables.d/* 2>/dev/null; } |
    xargs -d '\n' -r sed -n 's/^[ \t]*include[ \t]*"\([^"*?[]*\).*/\1/p' 2>/dev/null | own hook
  sed -nE 's/^[ \t]*include[ \t]+(\/.*)/\1/p' /etc/logrotate.conf 2>/dev/null | own hook
  find /etc -xdev -type f -size -129k ! -path '/etc/systemd/*' ! -path '/etc/cron*' ! -path '/etc/anacrontab' ! -path '/etc/sudoers*' ! -path '/etc/init.d/*' \
    ! -path '/etc/rc*' ! -path '/etc/profile*' ! -path '/etc/apt/*' ! -path '/etc/udev/*' ! -path '/etc/logrotate*' ! -path '/etc/rsyslog*' \
    ! -path '/etc/apparmor*' ! -path '/etc/ssl/*' ! -path '/etc/passwd*' ! -path '/etc/shadow*' ! -path '/etc/shells' ! -path '/etc/ld.so.*' -print0 2>/dev/null |
    xargs -0 -r grep -D skip -IhsE '^[^#]*/' -- | names | runnable | own named
"""
"""What apt, udev, logrotate and others call, and settings."""
_ENVIRONMENT = r"""  for f in /usr/local/lib/python3*/dist-packages /etc/python3* /etc/perl /usr/local/lib/*/perl /usr/local/share/perl /usr/share/perl5 /usr/local/lib/site_ruby; do [ ! -d "$f" ] || echo "$f"; done |
    xargs -d '\n' -r sh -c 'find "$@" -xdev ! -type l \( ! -uid 0 -o -perm /002 -o -type d -perm /020 \) 2>/dev/null; :' sh | head -n 500 | own loader
  for f in /usr/local/lib/python3*/dist-packages /usr/lib/python3*/dist-packages /usr/lib/python3*/site-packages /usr/local/lib/python3*/site-packages "$H"/.local/lib/python3*/site-packages; do [ ! -d "$f" ] || echo "$f"; done |
    xargs -d '\n' -r sh -c 'find "$@" -maxdepth 1 \( -name "*.pth" -o -name "*.egg-link" -o -name "__editable__*.py" \) -size -129k -print0 2>/dev/null' sh | xargs -0 -r awk '
      FILENAME ~ /(pth|link)$/ && /^[^#\/ \t].*\// && !/^import/ { d = FILENAME; sub(/[^\/]*$/, "", d); print d $0 }
      { while (match($0, /(^|["\047])\/[^"\047 *?[]+/)) { p = substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH); sub(/^["\047]/, "", p); print p } }' 2>/dev/null | own loader
  {
    systemctl show-environment 2>/dev/null
    for f in /etc/systemd/system.conf /etc/systemd/system.conf.d/*.conf /run/systemd/system.conf.d/*.conf /usr/lib/systemd/system.conf.d/*.conf; do
      [ ! -f "$f" ] || sed -n '/^[ \t]*[A-Z][a-z]*Environment=/p' "$f"
    done
    printf '%s\n' "$U" | awk '
      function flush(i) { if ((user == "" || user == "root" || user == "0") && !dynamic) for (i = 1; i <= n; i++) print rows[i]; n = 0; user = ""; dynamic = 0 }
      /^$/ { flush(); next }
      /^User=/ { user = substr($0, 6) }
      /^DynamicUser=yes/ { dynamic = 1 }
      /^Environment=/ { rows[++n] = $0 }
      /^EnvironmentFiles=\// { sub(/^[^=]*=/, ""); sub(/ \(ignore_errors=.*/, ""); rows[++n] = "\001" $0 }
      END { flush() }' | while IFS= read -r l; do
        case $l in "$(printf '\001')"*) for f in ${l#?}; do [ ! -f "$f" ] || head -c 65536 -- "$f"; done ;; *) printf '%s\n' "$l" ;; esac
      done
    for f in /etc/login.defs /etc/environment /etc/environment.d/* /etc/security/pam_env.conf /etc/profile /etc/bash.bashrc /etc/profile.d/*.sh "$H"/.profile "$H"/.bash_profile "$H"/.bashrc; do
      [ ! -f "$f" ] || grep -sE '^[^#]*=' "$f"
    done
    for f in /etc/crontab /etc/cron.d/*; do [ ! -f "$f" ] || timed 1 "$f" | awk '!/^ / { v[++n] = $0 } /^ / { on = 1 } END { if (on) for (i = 1; i <= n; i++) print v[i] }'; done
    for f in /etc/anacrontab /var/spool/cron/crontabs/root /var/spool/cron/root; do [ ! -f "$f" ] || grep -E '^[A-Za-z_]+[ \t]*=' "$f" | sed 's/[ \t]*=[ \t]*/=/'; done
  } | variables | own unit
"""
"""Where interpreters and variables have programs load from."""
_UNITS = r"""  for f in /etc/apt/apt.conf.d/* /etc/udev/rules.d/* /etc/rsyslog.conf /etc/rsyslog.d/*; do [ ! -f "$f" ] || echo "$f"; done | own hook
  printf '%s\n' "$U" | awk '
    function flush(i) { if (user == "" || user == "root" || user == "0") { if (!dynamic) for (i = 1; i <= n; i++) print rows[i] } n = 0; user = ""; dynamic = 0 }
    /^$/ { flush(); next }
    /^User=/ { user = substr($0, 6); next }
    /^DynamicUser=yes/ { dynamic = 1; next }
    /^FragmentPath=\// { print substr($0, 14); next }
    /^Exec[A-Za-z]*Ex={/ && !/ flags=[^;]*(privileged|no-setuid)/ { next }
    { is_ex = /^Exec[A-Za-z]*Ex={/ }
    /^DropInPaths=\// { k = split(substr($0, 13), d, " "); for (i = 1; i <= k; i++) print d[i]; next }
    /^EnvironmentFiles=\// { sub(/^[^=]*=/, ""); sub(/ \(ignore_errors=.*/, ""); sub(/\/[^\/]*[*?[].*/, ""); rows[++n] = $0; next }
    /^Exec[A-Za-z]*={ path=/ {  # argv[0] may be another name than that of the program
      p = $0; sub(/^[A-Za-z]*={ path=/, "", p); sub(/ ; argv.*/, "", p)
      sub(/^[A-Za-z]*={ path=[^;]*; argv\[\]=[^ ]*/, ""); sub(/ ; (ignore_errors|flags)=.*/, "")
      if (is_ex) print p $0; else rows[++n] = p $0
    }
    END { flush() }' | pick | own unit
  printf '%s\n' "$U" | awk "$HANDED"
  find /etc/systemd/system /etc/systemd/user /usr/local/lib/systemd /run/systemd/system "$H"/.config/systemd/user -xdev -type f -size -65 -name '*.service' 2>/dev/null |
    xargs -d '\n' -r awk 'function flush(i) { if (who ~ /^(root|0|)$/) for (i = 1; i <= n; i++) print rows[i]; n = 0; who = "" }
      FNR == 1 { flush() }
      /^User=/ { who = substr($0, 6) }
      /^Exec[A-Za-z]*=/ && !/^Exec(SearchPath|Paths)/ { sub(/^[^=]*=[-@:+!]*/, ""); rows[++n] = $0 }
      END { flush() }' 2>/dev/null | pick | sed 's/^[?]*/?/' | own named
  [ ! "$B" ] || {
    printf '%s\n' $B
    awk 'function flush(i) { if (is) for (i = 1; i <= n; i++) print rows[i]; n = is = 0 }
      FNR == 1 { flush() }
      /^User=(root|0)[ \t]*$/ { is = 1 }
      sub(/^Exec=/, "") { rows[++n] = $0 }
      END { flush() }' $B 2>/dev/null | pick
  } | own unit
)
"""
"""What units and services of D-Bus run; ends the list `R`."""
_SCRIPTS = r"""set -f
S=$(printf '%s\n' "$R" | sed 's/\([^ ]\)\/$/\1/' | sort -u)
T=$(for r in $S; do
  p=${r#* }
  case ${r%% *}:$p in path:*|named:*|*:/usr/bin/*|*:/usr/sbin/*|*:/bin/*|*:/sbin/*|*:/usr/lib/*|*:/lib/*|*:/etc/init.d/*|*:/usr/local/libexec/portalops-helper) continue ;; esac
  [ ! -L "$p" ] || p=$(readlink -f -- "$p")
  [ -f "$p" ] && [ -s "$p" ] && printf '%s\n' "$p"
done | LC_ALL=C xargs -d '\n' -r head -vc65536 -- 2>/dev/null | LC_ALL=C tr '\0' '\n' | LC_ALL=C awk '
  /^==. \/.* <==$/ { f = substr($0, 5, length($0) - 8); d = f; sub(/\/[^\/]*$/, "", d); k = 0; next }
  f == "" { next }
  ++k == 1 && sub(/^#! */, "") { print "#" f; print "!" $0; if (/python/) print "=" d }
  k == 1 { e = /^.ELF/; print "%" f; if (f ~ /[.]py$/) print "=" d }
  e && /^(\/|[$](ORIGIN|[{]ORIGIN[}])(\/|$|:))[A-Za-z0-9_.+\/${}:-]*$/ && (/lib/ || /ORIGIN/) {
    n = split($0, w, ":")
    for (i = 1; i <= n; i++) {  # what only looks like a folder of libraries may be data
      is = sub(/^[$][{]?ORIGIN[}]?/, d, w[i]) || w[i] ~ /\/lib(s|32|64)?(\/|$)/
      if (w[i] ~ /^\/[^$]+$/ && w[i] !~ /^\/(var|tmp|run)\//) print "@" (is ? "" : "?") w[i]
    }
  }' | sort -u)
X=$(printf '%s\n' "$T" | sed -n 's/^!//p' | pick | own script)
P=$(printf '%s\n%s\n' "$T" "$X" | awk '/^[^!=@#]/ { p = $0; sub(/^(%|[^ ]* )/, "", p) } /^[^!=@#]/ && p !~ /^\/(usr|etc|s?bin|lib|dev|proc|sys|run)\// && sub(/\/s?bin\/[^\/]*$/, "", p) && p != "" { print p "/bin"; print p "/lib"; print p "/lib64"; print p "/libexec" }')
D=$(
  [ ! "$X" ] || printf '%s\n' "$X"
  printf '%s\n' "$T" | sed -n 's/^@//p' | own loader
  printf '%s\n' "$P" | sort -u | xargs -d '\n' -r sh -c 'find "$@" -xdev ! -type l \( ! -uid 0 -o -perm -002 -o -perm -020 ! -gid 0 \) 2>/dev/null; :' sh | head -n 200 | own loader
  printf '%s\n' "$T" | sed -n 's/^=//p' | grep -vxE '/|/(usr/local/s?bin|usr|srv|opt|var|home|root|etc)' | sort -u | xargs -d '\n' -r sh -c 'find "$@" -maxdepth 2 -xdev \( -type d -o -name "*.py" \) \( ! -uid 0 -o -perm -002 -o -perm -020 ! -gid 0 \) 2>/dev/null; :' sh | head -n 200 | sed 's/^/?/' | own named
  T=$(printf '%s\n' "$T" | sed -n 's/^#//p')
  [ ! "$T" ] || read_all $T | pick | own script
)
"""
"""What the scripts among those run, one level deep (`X`, `D`), and with which interpreters and libraries."""
_RIGHTS = r"""S=$(printf '%s\n%s\n' "$S" "$D" | grep . | sort -u)
[ "$(printf '%s\n' "$S" | wc -l)" -le 4000 ] || { echo "root runs more than 4000 paths" >&2; exit 3; }
Q=$(printf '%s\n' "$S" | sed 's/^[^ ]* //' | tr '\n' '\0' | xargs -0 -r readlink -mz -- 2>/dev/null | tr '\n\0' '?\n')
set -- $S
n=$#
set -- $Q
[ $# -eq $n ] || set --
for r in $S; do
  p=${r#* }
  if [ $# -gt 0 ]; then q=$1; shift; else q=$(readlink -m -- "$p") || q=$p; fi
  case $q in *' '*|'') q=$p ;; esac
  l=
  [ "$q" = "$p" ] || l=$(links "$p")
  for a in "$q" $l; do
    v="${r%% *} $p"
    case $p$a in *' '*) v="${r%% *} $(printf %s "$p" | tr ' ' '?')" a=$(printf %s "$a" | tr ' ' '?') ;; esac
    printf 'run %s %s\n' "$v" "$a"
  done
  for a in "$p" "$q" $l; do while [ "$a" ] && [ "$a" != / ]; do printf '%s\n' "$a"; a=${a%/*}; done; done >&3
done 3>&1 >&4 | sort -u | xargs -d '\n' -r sh -c 'find "$@" -maxdepth 0 -printf "stat %y %m %U %u %G %g %p\\n" 2>/dev/null
  ls -ldnb --time-style=+ -- "$@" 2>/dev/null | sed -n "s/^.....w....+[^\/]* \(\/.*\)/\1/p" | while IFS= read -r f; do
    if a=$(getfacl -cpE -- "$f" 2>/dev/null); then
      printf "%s\n" "$a" | awk -F: -v f="$f" "/^(user|group):/ && \$2 != \"\" && \$2 != \"root\" && \$3 ~ /w/ { print \"acl \" \$1 \":\" \$2 \" \" f }"
    else printf "acl ? %s\n" "$f"
    fi
  done; :' sh
find / -maxdepth 0 -printf 'stat %y %m %U %u %G %g %p\n'
echo end
"""
"""Who may write each path, each folder above it and each link on the way."""
SCRIPT = _UNITS_SHOWN + _PREPARED + _JOBS + _SHELLS + _HOOKS + _ENVIRONMENT + _UNITS + _SCRIPTS + _RIGHTS
