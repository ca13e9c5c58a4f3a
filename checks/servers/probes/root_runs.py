"""What root runs by itself, and who may write it: cron, services and timers, rc scripts, and the shells of root.

Commands may hold passwords, so the host prints none of their text: the paths that they run are picked out there, from the
command itself, from the script that an interpreter is given, and from the scripts of root, one level deep, with the interpreter that
they name. Rules of sudo and doas name such commands too. Of programs that no package installed in its folders, the folders of libraries are told
that others may write, and those that a program names itself (RUNPATH). So are the programs that apt, udev,
logrotate and rsyslog call, what settings of fail2ban, PAM, dpkg, modprobe and their like name that can be run, every path in root's
units that is not known to be harmless (systemd.exec(5)), what D-Bus starts as root, where variables of root's services have programs
load from, and where the loader finds libraries. Settings in /etc, programs, libraries and files of the kernel are told where others
may write them. Told apart (`named`), for nothing tells who runs it, is what the rest of /etc names that can be run or includes, what
commands are given to read, except those known to run none of it, and what units run that nothing has loaded. Of each path and each folder above it, of each
link on the way and of where links lead, the rights are printed, by find(1); and to whom further rights (ACL) let write it. Enabled
units that are not loaded count with what they start: the next boot brings them. crontab(5), systemctl(1), rc.local, bash(1),
getfacl(1), ld.so(8), apt.conf(5), udev(7), logrotate(8).

    run cron /usr/local/bin/backup.sh /usr/local/bin/backup.sh
    stat f 755 0 root 0 root /usr/local/bin/backup.sh
    acl user:games /usr/local/bin/backup.sh
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

PICK = r"""
BEGIN {  # programs that run nothing of what they read; letters in brackets, since a probe writes nothing
  while (0 < (getline row < "/etc/passwd")) { split(row, each, ":"); home[each[1]] = each[6]; if (each[1] == "root") home[""] = each[6] }
  V["HOME"] = home[""]
  QUIET = "^(chown|chmod|chgrp|chattr|setfacl|find|rm|rmdir|mkdir|mkfifo|install|touch|ls|du|df|stat|cat|head|tail|less|more|wc|sort|uniq|cut|tr|grep|egrep|fgrep|zgrep" \
    "|diff|cmp|cp|mv|ln|readlink|realpath|dirname|basename|tar|gzip|gunzip|bzip2|xz|zstd|zip|unzip|rsync|scp|sftp|split|dd|truncate|fallocate|shred|sync|mount|umount" \
    "|mountpoint|sha(1|256|512)sum|md5sum|gpg|age|restic|borg|rclone|curl|wget|mail|mailx|sendmail|logger|echo|printf|true|false|exit|return|sleep|date|id|kill|pkill|pgrep|killall" \
    "|trap|export|set|unset|local|read|shift|exec|umask|ulimit|type|which|hash|systemctl|service|invoke-rc[.]d|systemd-tmpfiles|journalctl|mysqldump|mariadb-dump|pg_dump" \
    "|pg_dumpall|mongodump|clamscan|clamdscan|freshclam|certbot|tmpreaper|tmpwatch|logrotate|savelog|fstrim|htcacheclean|sqlite3|php-fpm-socket-helper|start-stop-daemon|nologin)$"
}
function base(p) { sub(/.*\//, "", p); return p }
function clean(t) { gsub(/["'\\]/, "", t); sub(/^[0-9]*[>|<]+/, "", t); return t }
function whole(t, n) {  # a path, with the homes that it names by their account
  if (match(t, /^~[A-Za-z0-9_.-]*\//)) { n = substr(t, 2, RLENGTH - 2); if (n in home) return home[n] substr(t, RLENGTH) }
  return t
}
function emit(p,  q) {  # with wildcards the paths that fit; one that is put together is told as named
  p = whole(p); q = ""
  if (p ~ /^\/.*[$]/) { q = "?"; gsub(/[$]([A-Za-z0-9_]+|[@*])/, "*", p); sub(/[$].*/, "*", p) }
  if (p ~ /^\/[^*?\[\/]/ && p !~ /^\/(dev|proc|sys)(\/|$)/ && p !~ /^\/(usr\/|)s?bin\/[^\/]*[*?[]/) print q p
}
function loop(t,  k, n, w) {  # the list of a loop: what root goes through
  gsub(/["']/, "", t); n = split(t, w, /[ \t=<>|;&()`{}]+/); LIST = " "
  for (k = 1; k <= n; k++) {
    if (w[k] ~ /^[~\/]/) LIST = LIST whole(w[k]) " " (w[k] ~ /[*?[]/ || t !~ /[`(|<]/ ? "" : whole(w[k]) "/* ")
    else if (at ~ /^\/./ && w[k] ~ /[*?[]/) LIST = LIST at "/" w[k] " "
  }
  return LIST
}
function through(name, q,  k, n, w) {  # each of what a variable goes through
  n = split(L[name], w, " "); for (k = 1; k <= n; k++) if (q) reads(w[k], 1); else emit(w[k])
}
function named(t) { sub(/^[.]\//, "", t); return t ~ /^[$][A-Za-z_][A-Za-z0-9_]*$/ ? substr(t, 2) : "" }
function ends(  p) { if (lost) for (p in P) reads(p, 1); lost = 0; split("", P); split("", L); split("", G); held = "" }
function reads(p, all) {  # what a program that may run it is given to read
  p = whole(clean(p)); sub(/^-[A-Za-z]\//, "/", p); sub(/^[^\/]*=/, "", p); p = whole(p)
  if (p ~ (all ? "^/[^*?$[/][^$]*$" : "^/[^*?$[]+$") && p !~ /^\/(dev|proc|sys|tmp|var\/tmp|var\/log|run\/[^u][^\/]*)(\/|$)/ && p !~ /[.](pid|sock|socket|lock|log|out|err)$/) print "?" p
}
function filled(t, k, n) {
  if (t !~ /[$]/) return t
  for (k in V) if (index(t, k)) { gsub("[$]" k "([^A-Za-z0-9_]|$)", "\001&", t); while (n = index(t, "\001$" k)) t = substr(t, 1, n - 1) V[k] substr(t, n + length(k) + 2); gsub("[$][{]" k "[}]", V[k], t) }
  return t
}
function account(j, m, b,  k, v) {
  if (b == "start-stop-daemon") {
    for (k = j + 1; k <= m && w[k] != "--"; k++) if (w[k] ~ /^(-c|--chuid)$/) return clean(w[k + 1]); else if (w[k] ~ /^--chuid=/) return clean(substr(w[k], 9))
    return ""
  }
  for (k = j + 1; k <= m; k++) {
    v = clean(w[k])
    if (b ~ /^(su|runuser)$/) {
      if (v == "-u") return clean(w[k + 1])
      if (v ~ /^(-c|--command|-s|--shell|-g|-G|-w)$/) {
        k++
        if (w[k] ~ /^["']/ && w[k] !~ /.["']$/) while (k < m && w[k] !~ /["']$/) k++
      } else if (v != "" && v !~ /^-/) return v
    } else if (v ~ /^(-u|-c|--user|--chuid|--reuid)$/) return clean(w[k + 1])
    else if (sub(/^(-u|--user=|--chuid=|--reuid=)/, "", v)) return v
    else if (v !~ /^-/) return ""
  }
  return ""
}
function joined(t,  out, s) {  # what another account is given to run is one command
  while (match(t, /(su|runuser) [^;&|"']*-c *("[^"]*"|'[^']*')/)) {
    s = substr(t, RSTART, RLENGTH); gsub(/[;&|(){}`]/, " ", s)
    out = out substr(t, 1, RSTART - 1) s; t = substr(t, RSTART + RLENGTH)
  }
  return out t
}
/^==> \/.* <==$/ { ends(); next }
{
  sub(/^[ \t]*#.*/, ""); sub(/[ \t]#.*/, "")
  if (/(\\|[|])[ \t]*$/ && length(held) < 8192) { sub(/\\[ \t]*$/, ""); held = held $0 " "; next }
  $0 = held $0; held = ""
  while (match($0, /[$][{][A-Za-z_][A-Za-z0-9_]*[}]/) && substr($0, RSTART + RLENGTH, 1) !~ /[A-Za-z0-9_]/)
    $0 = substr($0, 1, RSTART) substr($0, RSTART + 2, RLENGTH - 3) substr($0, RSTART + RLENGTH)
  rest = $0 = filled($0)
  while (match(rest, /(^|[ \t;&|(])[A-Za-z_][A-Za-z0-9_]*=["']?[\/~][^ \t"';&|$)]*/)) {
    k = val = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
    sub(/=.*/, "", k); gsub(/[^A-Za-z0-9_]/, "", k); sub(/^[^=]*=["']?/, "", val); V[k] = whole(val)
  }
  $0 = filled($0)
  n = split($0, w, /[ \t"'=<>|;&()`{}]+/); for (i = 1; i <= n; i++) if (w[i] ~ /^[~\/]/) P[w[i]]
  if (match($0, /(^|[ \t;&|(])cd[ \t]+["']?\/[^ \t;&|"']+/)) { at = substr($0, RSTART, RLENGTH); sub(/.*cd[ \t]+["']?/, "", at) }
  rest = $0
  while (match(rest, /(^|[ \t;&|(])(for|select)[ \t]+[A-Za-z_][A-Za-z0-9_]*[ \t]+in[ \t]+[^;]*/)) {
    t = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
    sub(/^.?(for|select)[ \t]+/, "", t); k = t; sub(/[ \t].*/, "", k); sub(/^[^ \t]+[ \t]+in[ \t]+/, "", t)
    L[k] = loop(t); if (t ~ /[$`]/) G[k]
  }
  if (match($0, /(^|[ \t;&|(])(read|mapfile|readarray)[ \t][^;|&<]*/)) {
    t = substr($0, RSTART, RLENGTH); n = split(t, w, /[ \t]+/); rest = substr($0, 1, RSTART)
    for (i = 1; i <= n; i++) if (w[i] ~ /^[A-Za-z_][A-Za-z0-9_]*$/) { G[w[i]]; if (rest ~ /[|]/) L[w[i]] = loop(rest) }
  }
  rest = $0
  while (match(rest, /(^|[ \t;&|(])[A-Za-z_][A-Za-z0-9_]*=["']?([$][A-Za-z_(@*]|`)[^;]*/)) {  # what comes from elsewhere
    t = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH); sub(/^[ \t;&|(]/, "", t)
    k = t; sub(/=.*/, "", k); if (t !~ /=["']?([$][(]|`)[ \t]*(which|command|type|mktemp|date|hostname|id|dirname|basename|readlink|realpath|uname) /) G[k]
  }
  if (/(^|[;&|]|(eval|do|then|else|exec|-c)[ \t])[ \t]*["']?([$][(]|`)/) { n = split(loop($0), w, " "); for (i = 1; i <= n; i++) reads(w[i], 1) }  # a command that another one tells
  # what find(1) and xargs(1) run of what they find
  if (/-(exec|execdir|ok|okdir)[ \t]+([^ \t;]*[ \t]+)*["']?[{][}]/ && /-(exec|execdir|ok|okdir)[ \t]+(env[ \t]+|nice[ \t]+|sudo[ \t]+)*(["']?[{][}]|([\/a-z]*\/)?((ba|da|z|k)?sh|python[0-9.]*|perl|php|ruby)[ \t]+(-[eux]+[ \t]+)*["']?[{][}]|([\/a-z]*\/)?(ba|da|z|k)?sh[ \t]+-c)/ \
    || /xargs[^|;]*[ \t]([\/a-z]*\/)?((ba|da|z|k)?sh|python[0-9.]*|perl|php|ruby)([ \t]+(-[a-z]+|["']?[{][}%]*["']?))*[ \t]*(["'][^|]*)?([;&|)]|$)/ || /xargs[^|;]*-I[ \t]*([^ \t]+)[ \t]+(-[^ \t]+[ \t]+)*["']?([{][}]|%|@)/) {
    n = split(loop($0 "|"), w, " "); for (i = 1; i <= n; i++) emit(w[i])
  }
  at = ""
  # a shell runs what another program hands to it
  if ($0 ~ /[|][ \t]*(sudo[ \t]+)?([\/a-z]*\/)?((ba|da|z|k)?sh|python[0-9.]*|perl|php|ruby)[ \t]*(-s?[ \t]*)?([;&|)]|$)/) {
    m = split($0, w, /[ \t;&<>|]+/); for (j = 1; j <= m; j++) if (clean(w[j]) ~ /^[~\/]/) emit(clean(w[j]))
  }
  gsub(/[$][(][(][^()]*[)][)]/, "0")
  n = split(joined($0), parts, /[;&|(){}`]+|\$\(/); inside = 0; said = /(-c|eval)[ \t]+["']/
  for (i = 1; i <= n; i++) {
    if (i > 1) inside += gsub(/"/, "\"", parts[i - 1])
    is_text = inside % 2 && !said  # what is in quotes is no command
    m = split(parts[i], w, /[ \t]+/)
    other = 0; given = 0; lock = 0; quiet = 0; into = 0; cmd = ""; parts_run = 0
    for (j = 1; j <= m; j++) {
      t = clean(w[j]); b = base(t)
      if (w[j] ~ /^[0-9]*[>|]+&?$/) { into = 1; continue }
      if (into || w[j] ~ /^[0-9]*[>|]/) { into = 0; continue }
      if (!other && (given != 2 || cmd ~ /^(export|declare|readonly|typeset)$/) && t ~ /^(PATH|LD_(PRELOAD|LIBRARY_PATH)|PYTHONPATH|PERL5LIB|RUBYLIB|NODE_PATH|(BASH_)?ENV)=/) {
        sub(/^[^=]*=/, "", t); p = split(t, v, ":"); for (k = 1; k <= p; k++) emit(v[k])
        continue
      }
      if (t == "" || (!given && t ~ /^[A-Za-z_][A-Za-z0-9_]*=/)) continue
      if (!other && cmd == "alias" && sub(/^[A-Za-z0-9_.-]+=/, "", t)) { emit(t); continue }
      # names of files that begin with a dash are options there
      if (given == 2 && !other && t ~ /^[*?]/ && cmd ~ /^(tar|rsync|chown|chmod|chgrp|zip|7za?|scp)$/ && at ~ /^\/./) print "?" at
      if (!other && (k = named(t)) != "" && (given != 2 || !quiet)) {
        if (k in L && !is_text) through(k, given == 2)
        if (k in G && (!(k in L) || L[k] == " ") && given != 2 && !is_text) lost = 1
        if (given != 2) { cmd = b; given = 2; quiet = 0 }
        continue
      }
      if (given == 2) {
        if (t ~ /^-(exec|execdir|ok|okdir)$/) { given = 0; continue }
        if (other) continue
        if (t ~ /^[\/~][^*?[$]*\.(sh|py|php|pl|rb|js|cgi|bash)$/) emit(t)
        else if (!quiet || t ~ /^--[a-z-]*(command|program|rsh|exec|action|path|defaults|config)/ || w[j - 1] ~ /^-[IeK]$/) reads(w[j])
        continue
      }
      if (b ~ /^(su|runuser|sudo|setpriv|start-stop-daemon)$/) { if (account(j, m, b) !~ /^(root|[+]?0|)$/) other = 1; continue }
      if (b ~ /^(if|then|else|elif|do|while|until|!|time|exec|nohup|nice|ionice|env|flock|timeout|chronic|setsid|command|xargs|eval|run-parts|test|\[|cronic|systemd-cat|systemd-inhibit|stdbuf|unshare|chrt|taskset|strace|faketime|@)$/) { if (t ~ /^\//) emit(t); if (b == "flock") lock = 1; if (b == "run-parts") given = parts_run = 1; if (b == "test" || b == "[") { given = 2; quiet = 1 } continue }
      if (!given && b ~ /^(for|case|in|select|function|alias|esac|fi|done)$/) { cmd = b; given = 2; quiet = 1; continue }
      if (t ~ /^-/ || t ~ /^[0-9.]+[smhd]?$/ || t == "]") { if (given && !other && t ~ /^-/) reads(w[j]); continue }
      if (b == "cd" || b == "pushd") { at = whole(clean(w[j + 1])); given = 2; quiet = 1; continue }
      if (other) break
      if (lock) { lock = 0; continue }
      if (given == 0 && b ~ /^(ba|da|z|k)?sh$|^(python|perl|php|ruby|node|lua)[0-9.]*$|^(\.|source)$/) { if (t ~ /^\//) emit(t); given = 1; continue }
      if (t ~ /^[\/~]/) { emit(t); if (parts_run && t !~ /^\/etc\//) emit(t "/*") }
      else if (t ~ /^\.?\.?[A-Za-z0-9_.-]*\/|\.(sh|py|php|pl)$/ && at ~ /^\//) emit(at "/" t)
      else if (given == 1 && at ~ /^\// && t ~ /^[A-Za-z0-9_.-]+$/) emit(at "/" t)
      else if (b !~ QUIET && at ~ /^\/./) print "?" at
      quiet = given != 1 && b ~ QUIET
      cmd = b; given = 2
    }
  }
}
END { ends() }
"""
NAMES = r"""
/^[ \t]*(#|;|!([^i]|$)|\/\/|--)/ { next }
tolower($0) ~ /^[^#]*(include|confdir|sourcedir|lua-load|load_module|loadmodule)/ {  # a folder of settings
  for (i = 2; i <= (m = split($0, w, /[ \t"';=(){},<>|]+/)); i++) if (w[i] ~ /^\/./) { sub(/[*?[][^\/]*.*/, "", w[i]); if (w[i] ~ /^\/[^$]+$/) print "+" w[i] }
}
{
  sub(/[ \t]#.*/, "")
  while (match($0, /\/[A-Za-z0-9._\/@+-]+/)) {
    p = substr($0, RSTART, RLENGTH); b = RSTART == 1 ? "" : substr($0, RSTART - 1, 1)
    $0 = substr($0, RSTART + RLENGTH)
    sub(/[.\/]+$/, "", p)
    if (b !~ /[A-Za-z0-9_.$}\/*-]/ && p !~ /^\/((usr\/)?(bin|sbin|lib[0-9]*)|usr\/share|dev|proc|sys|run)\// && !(p in seen)) { seen[p] = 1; print p }
  }
}
"""
"""Which files a setting names."""
VARIABLES = r"""
{
  gsub(/^[ \t]*(export[ \t]+)?|^[ \t]*(Default|Manager)?Environment=/, ""); gsub(/["'\\]/, " "); sub(/[ \t]+DEFAULT=/, "=")
  n = split($0, w, /[ \t]+/)
  for (i = 1; i <= n; i++) {
    if (w[i] ~ /^[A-Z_0-9]+=/) { k = w[i]; sub(/=.*/, "", k); sub(/^[^=]*=/, "", w[i]) }
    else if (k !~ /OPT/) k = ""
    if (k !~ /^(PATH|LD_(PRELOAD|LIBRARY_PATH|AUDIT)|PYTHON(PATH|HOME|STARTUP|USERBASE)|PERL5?(LIB|OPT|DB)|RUBY(LIB|OPT)|GEM_(PATH|HOME)|NODE_(PATH|OPTIONS)|BASH_ENV|ENV|GCONV_PATH|CLASSPATH|JAVA_TOOL_OPTIONS|PHPRC|PHP_INI_SCAN_DIR|SHELL|LUA_C?PATH|OPENSSL_(CONF|MODULES|ENGINES)|ZDOTDIR)$/) continue
    m = split(w[i], v, /[:=;,]/)
    for (j = 1; j <= m; j++) { sub(/^-[A-Za-z]+/, "", v[j]); if (v[j] ~ /^\/[^*?$\[]*$/ && v[j] !~ /^\/(dev|proc|sys)\//) print v[j] }
  }
  k = ""
}
"""
"""Where a variable of the environment has programs load from."""
HANDED = r"""
function given(kind, p) {
  gsub(/^[-+!@:]+|["'\\]/, "", p); sub(/[*?[%].*/, "", p)
  if (p ~ /^\/./ && p !~ /^\/(dev|proc|sys)(\/|$)/) print kind, p
}
function each(kind, v, m, j, w) { m = split(v, w, /[ \t:;,="']+/); for (j = 1; j <= m; j++) given(kind, w[j]) }
function flush(i, j, k, l, m, v, w, b, cwd, sh) {
  if ((user == "" || user == "root" || user == "0") && !dynamic) {
    sh = runs ~ /(^|[ \/"'])((ba|da|z|k)?sh|python[0-9.]*|perl|php|ruby|node)( |$)/ ? "unit" : "named"
    for (i = 1; i <= n; i++) {
      while (0 < (getline l < files[i])) {
        while (l ~ /\\$/ && 0 < (getline v < files[i])) l = substr(l, 1, length(l) - 1) " " v
        if (l !~ /^[ \t]*[A-Z][A-Za-z0-9]+[ \t]*=/) continue
        k = v = l; sub(/[ \t]*=.*/, "", k); sub(/^[ \t]+/, "", k); sub(/^[^=]*=[ \t]*/, "", v)
        # what these name is neither run nor read: it is asked after, written to, closed off, or said elsewhere
        if (k ~ /^(Condition|Assert|Documentation|Description|Requires|Wants|After|Before|SourcePath|PIDFile|Read(Write|Only)|Inaccessible|(No)?ExecPaths|TemporaryFileSystem|Listen|Path|Directory|Standard(Output|Error)|TTY|Device|Utmp|Syslog|Symlinks|User|Group|SELinux|AppArmor|Smack|Slice|Where|What|Options|Exec(Start|Stop|Reload|Condition)|EnvironmentFile|UnsetEnv|PassEnv|OnCalendar|Alias)/) continue
        if (k == "WorkingDirectory") cwd = v
        else if (k == "StandardInput" && sub(/^file:/, "", v)) given(sh, v)
        else if (k ~ /^(LoadCredential|LoadCredentialEncrypted)$/ && sub(/^[^:]*:/, "", v)) given(sh, v)
        else if (k == "OpenFile") { sub(/:.*/, "", v); given(sh, v) }
        else if (k == "Environment") { m = split(v, w, /[ \t]+/); for (j = 1; j <= m; j++) if (w[j] !~ /LOG|PID|SOCK|TMP|TEMP|CACHE|RUN|DATA|STATE|OUT/) { sub(/^[^=]*=/, "", w[j]); each("named", w[j]) } }
        else if (k ~ /^(Bind|BindReadOnly)Paths$|^(Root|Mount|Extension)(Images|Directories)$/) {
          m = split(v, w, /[ \t]+/)
          for (j = 1; j <= m; j++) {
            split(w[j], b, ":"); if (b[2] == "") b[2] = b[1]
            if (k !~ /^Bind/ || b[2] !~ /^-?\/(home|srv|var|run|tmp|mnt|media|root)(\/|$)/ || index(" " runs, " " b[2])) given("unit", b[1])
          }
        }
        else each("unit", v)
      }
      close(files[i])
    }
    given(runs ~ /(^|[ "'])(\.\.?\/|[A-Za-z0-9_-]+\/)[^ ]|[ "'][A-Za-z0-9_-]+\.(sh|py|pl|php|rb|js|jar|lua|conf|cfg|ini|ya?ml|toml)([ "']|$)|python[0-9.]* (-[^ ]+ )*-m |(^|[ \/])(npm|npx|yarn|pnpm|make|bundle|rake|composer|docker-compose|compose|gunicorn|uvicorn|flask|celery)( |$)/ ? "unit" : "named", cwd)
  }
  n = 0; user = runs = ""; dynamic = 0
}
/^$/ { flush(); next }
/^User=/ { user = substr($0, 6) }
/^DynamicUser=yes/ { dynamic = 1 }
/^FragmentPath=\// { files[++n] = substr($0, 14) }
/^DropInPaths=\// { k = split(substr($0, 13), d, " "); for (i = 1; i <= k; i++) files[++n] = d[i] }
/^Exec[A-Za-z]*={ path=/ { sub(/^[A-Za-z]*={ path=[^;]*; argv\[\]=/, ""); sub(/ ; (ignore_errors|flags)=.*/, ""); runs = runs " " $0 }
END { flush() }
"""
"""What systemd hands to root's programs, by its units' files: where it looks for them, what lies in their place, what they read."""
ROOTLY = r"""
BEGIN { RS = ""; ORS = "\n\n" }
{
  c = match($0, /(^|\n)AmbientCapabilities=[^\n]*/) ? substr($0, RSTART, RLENGTH) : ""; sub(/.*=/, "", c)
  gsub(/cap_(net_(bind_service|raw|admin|broadcast)|sys_(nice|resource|time|tty_config)|ipc_lock|wake_alarm|audit_write|block_suspend|kill|setpcap|syslog|bpf|perfmon)/, "", c)
  only = 0; n = split($0, w, /[ \n]|(FragmentPath|DropInPaths)=/)
  for (i = 1; i <= n; i++) if (w[i] ~ /^\// && index(given, " " w[i] " ")) only = 1  # systemctl does not show it
  if (only) gsub(/(^|\n)ExecStart(Ex)?=[^\n]*/, "")
  if (only || c ~ /cap_/) gsub(/(^|\n)(User=[^\n]*|DynamicUser=yes)/, "")
  sub(/^\n/, ""); print
}
"""
"""Units of another account that are as good as root's, told as such: by capabilities, and where only the start has that account."""
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
_SCRIPT = (
    r"""
command -v find >/dev/null || exit 127
ROOTLY='"""
    + ROOTLY.replace("'", "'\\''")
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
L='
' H=~root
exec 4>&1
set -f
IFS=$L
pick() { awk "$A"; }
A='"""
    + PICK.replace("'", "'\\''")
    + r"""'
NAMES='"""
    + NAMES.replace("'", "'\\''")
    + r"""'
HANDED='"""
    + HANDED.replace("'", "'\\''")
    + r"""'
VARIABLES='"""
    + VARIABLES.replace("'", "'\\''")
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
set +f
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
      /^(Defaults|[A-Z][a-z]+_Alias)/ || !/ = / { next }
      {
        who = "root"; sub(/^.* = /, ""); gsub(/\\,/, " "); n = split($0, c, /, */)
        for (i = 1; i <= n; i++) {
          x = c[i]
          if (match(x, /\([^)]*\)/)) { who = substr(x, RSTART + 1, RLENGTH - 2); x = substr(x, 1, RSTART - 1) substr(x, RSTART + RLENGTH) }
          while (sub(/^ *([A-Z_]+:|[A-Z]+=[^ ]*|sha[0-9]+:[^ ]*)/, "", x)) continue
          if (who ~ /(^|[ ,])(root|ALL|#0)/ && x ~ /^ *\//) {
            sub(/ *""$/, "", x); gsub(/\\/, "", x); print x
            # what is copied into settings or programs of root, and where it lies
            if (x ~ /^ *(\/usr)?\/bin\/(cp|mv|ln|install|rsync) .* \/(etc|usr|s?bin|lib|opt|boot|root|var\/spool\/cron)\/[^ ]*$/) {
              m = split(x, w, / +/); for (j = 2; j < m; j++) if (w[j] ~ /^\/[^*?[]*$/) { print "@<" w[j]; sub(/\/[^\/]+\/?$/, "", w[j]); if (w[j] ~ /^\/./) print "@<" w[j] }
            }
          }
        }
      }'
    sed -nE 's/^[ \t]*permit.*[{ ]PATH=([^ }]*).*/PATH=\1/p; / as [^r]/d; s/^[ \t]*permit.* cmd ([^ ]+)( args (.*))?$/\1 \3/p' /etc/doas.conf 2>/dev/null
  } | { x=$(cat); printf '%s\n' "$x" | pick | grep -v '^?'; printf '%s\n' "$x" | sed -n 's/^@</?/p'; } | own sudo
  { [ ! -f /etc/rc.local ] || { echo /etc/rc.local; pick </etc/rc.local; }; files /etc/init.d; } | own rc
  set --
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
  {
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
  for f in /usr/local/lib/python3*/dist-packages /etc/python3* /etc/perl /usr/local/lib/*/perl /usr/local/share/perl /usr/share/perl5 /usr/local/lib/site_ruby; do [ ! -d "$f" ] || echo "$f"; done |
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
  for f in /etc/apt/apt.conf.d/* /etc/udev/rules.d/* /etc/rsyslog.conf /etc/rsyslog.d/*; do [ ! -f "$f" ] || echo "$f"; done | own hook
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
set -f
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
S=$(printf '%s\n%s\n' "$S" "$D" | grep . | sort -u)
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
)
NAMED = "named"
_RUN = re.compile(r"run (?P<by>cron|rc|shell|path|unit|script|loader|hook|sudo|named) (?P<path>/\S*) (?P<real>/\S*)")
_STAT = re.compile(
    r"stat (?P<type>\w) (?P<mode>[0-7]{1,5}) (?P<uid>\d+) (?P<owner>\S+) (?P<gid>\d+) (?P<group>\S+) (?P<path>/.*)"
)
_ACL = re.compile(r"acl (?P<who>\?|(?:user|group):\S+) (?P<path>/.*)")


class Rights(NamedTuple):
    """Of one file or folder; of a link, its own."""

    is_link: bool
    mode: int
    uid: int
    owner: str
    gid: int
    group: str


class RootRuns(NamedTuple):
    """What root runs, and the rights of that."""

    paths: tuple[tuple[str, str, str], ...]
    """By what (`named`: a setting in /etc names it, and nothing tells who runs it), the path, and where it leads or a link on its way is, if a link is in it."""
    rights: Mapping[str, Rights]
    """Of each path and each folder above it, as far as there is one."""
    acls: Mapping[str, tuple[str, ...]]
    """Who may write by further rights; `?` where the host cannot tell."""


def parse(output: Output) -> RootRuns:
    """Read both; a host whose root has no path to programs has not answered."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of what root runs is cut short"))
    paths, rights = [], {}
    acls: dict[str, tuple[str, ...]] = {}
    for line in lines[:-1]:
        if row := _RUN.fullmatch(line):
            paths.append((row["by"], row["path"], row["real"]))
        elif row := _STAT.fullmatch(line):
            owner = Rights(
                row["type"] == "l", int(row["mode"], 8), int(row["uid"]), row["owner"], int(row["gid"]), row["group"]
            )
            rights[row["path"]] = owner
        elif row := _ACL.fullmatch(line):
            acls[row["path"]] = (*acls.get(row["path"], ()), row["who"])
        else:
            raise Unparseable(
                msg("the listing of what root runs has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
    if not any(by == "path" for by, _path, _real in paths) or "/" not in rights:
        raise Unparseable(msg("the listing of what root runs is cut short"))
    return RootRuns(tuple(paths), rights, acls)


PROBE = Probe("files.root-runs", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=30, limit_bytes=1 << 20)
