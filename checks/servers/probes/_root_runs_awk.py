"""Programs for awk of `files.root-runs`: they pick paths out of commands, settings and units, on the host."""

from __future__ import annotations

PICK = r"""
BEGIN {  # programs that run nothing of what they read; letters in brackets, since a probe writes nothing
  while (0 < (getline row < "/etc/passwd")) { split(row, each, ":"); home[each[1]] = each[6]; if (each[1] == "root") home[""] = each[6] }
  V["HOME"] = home[""]
  SH = "([/a-z]*/)?((ba|da|z|k)?sh|python[0-9.]*|perl|php|ruby)"
  FOUND = "[\"']?([{][}]|%|@)[\"']?"
  SAID = "-c[ \t]+[\"']([^\"']*[;&|])?[ \t]*((exec|eval|[.]|source|" SH ")[ \t]+)?[\"']?([{][}]|%|[$][{]?[01@*])"
  QUIET = "^(chown|chmod|chgrp|chattr|setfacl|find|rm|rmdir|mkdir|mkfifo|install|touch|ls|du|df|stat|cat|head|tail|less|more|wc|sort|uniq|cut|tr|grep|egrep|fgrep|zgrep" \
    "|diff|cmp|cp|mv|ln|readlink|realpath|dirname|basename|tar|gzip|gunzip|bzip2|xz|zstd|zip|unzip|rsync|scp|sftp|split|dd|truncate|fallocate|shred|sync|mount|umount" \
    "|mountpoint|sha(1|256|512)sum|md5sum|gpg|age|restic|borg|rclone|curl|wget|mail|mailx|sendmail|logger|echo|printf|true|false|exit|return|sleep|date|id|kill|pkill|pgrep|killall" \
    "|export|set|unset|local|read|shift|exec|umask|ulimit|type|which|hash|systemctl|service|invoke-rc[.]d|systemd-tmpfiles|journalctl|mysqldump|mariadb-dump|pg_dump" \
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
    else if (w[k] ~ /^[$]/ && substr(w[k], 2) in L) LIST = LIST L[substr(w[k], 2)] " "
    else if (at ~ /^\/./ && w[k] ~ /[*?[]/) LIST = LIST at "/" w[k] " "
  }
  return LIST
}
function through(name, q,  k, n, w) {  # each of what a variable goes through
  n = split(L[name], w, " "); for (k = 1; k <= n; k++) if (q) reads(w[k], 1); else emit(w[k])
}
function named(t) { sub(/^[.]\//, "", t); return t ~ /^[$]([A-Za-z_][A-Za-z0-9_]*|@)$/ ? substr(t, 2) : "" }
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
/^==. \/.* <==$/ { ends(); HERE = substr($0, 5, length($0) - 8); sub(/\/[^\/]*$/, "", HERE); next }
{
  sub(/^[ \t]*#.*/, ""); sub(/[ \t]#.*/, "")
  if (/(\\|[|])[ \t]*$/ && length(held) < 8192) { sub(/\\[ \t]*$/, ""); held = held $0 " "; next }
  $0 = held $0; held = ""
  if (HERE != "") gsub(/[$][(]dirname (-- )?["']?[$]([{]?BASH_SOURCE[^)"']*|0)["']?[)]|[$][{](0|BASH_SOURCE)%\/[*][}]|`dirname ["']?[$]0["']?`/, HERE)
  if (match($0, /[$][(]cd (-- )?["']?\/[^ "')]*["']?[^&]*&& *pwd[^)]*[)]/)) {
    t = substr($0, RSTART, RLENGTH); k = substr($0, RSTART + RLENGTH); $0 = substr($0, 1, RSTART - 1); sub(/^[^\/]*/, "", t); sub(/[ "')].*/, "", t); $0 = $0 t k
  }
  while (match($0, /[$][{][A-Za-z0-9_]+:?[-=]\/[^}$]*[}]/)) {  # a path unless another one is given
    t = substr($0, RSTART, RLENGTH - 1); k = substr($0, RSTART + RLENGTH); $0 = substr($0, 1, RSTART - 1); sub(/^[^-=]*[-=]/, "", t); $0 = $0 t k
  }
  gsub(/[[][@*][]][}]/, "}")
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
  if (match($0, /(^|[ \t;&|(])set[ \t]+--[ \t]+[^;]*/)) { L["@"] = loop(substr($0, RSTART + 4, RLENGTH - 4)); if ($0 ~ /[$`]/) G["@"] }
  if (match($0, /(^|[ \t;&|(])[A-Za-z_][A-Za-z0-9_]*[+]?=[(][^)]*/)) {  # a list
    t = substr($0, RSTART, RLENGTH); sub(/^[ \t;&|(]/, "", t); k = t; sub(/[+]?=.*/, "", k); sub(/^[^(]*[(]/, "", t); L[k] = L[k] loop(t); if (t ~ /[$`]/) G[k]
    else if (t !~ /[`(]/) sub(/[+]?=[(][^)]*[)]?/, "=")
  }
  if (match($0, /(^|[ \t;&|(])for[ \t]+[A-Za-z_][A-Za-z0-9_]*[ \t]*(;|do|$)/)) { k = substr($0, RSTART, RLENGTH); sub(/.*for[ \t]+/, "", k); sub(/[^A-Za-z0-9_].*/, "", k); if ("@" in L) L[k] = L["@"] }
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
  if ($0 ~ "-(exec|execdir|ok|okdir)[ \t]+((env|nice|sudo)[ \t]+)*(" FOUND "|" SH "([ \t]+-[eux]+)*[ \t]+" FOUND "|" SH "[ \t]+" SAID ")" \
    || $0 ~ "xargs[^|;]*[ \t]" SH "([ \t]+-[a-z]+)*([ \t]+" FOUND ")?[ \t]*([;&|)]|$)" || $0 ~ "xargs[^|;]*[ \t]" SH "[ \t]+" SAID || $0 ~ "xargs[^|;]*-I[ \t]*[^ \t]+[ \t]+(-[^ \t]+[ \t]+)*" FOUND) {
    n = split(loop($0 "|"), w, " "); for (i = 1; i <= n; i++) emit(w[i])
  }
  at = ""
  # a shell runs what another program hands to it
  if ($0 ~ /(^|[;&|( \t])(source|[.]|([\/a-z]*\/)?(ba|z|k)?sh)[ \t]+<[(]/ || $0 ~ /[|][ \t]*(sudo[ \t]+)?([\/a-z]*\/)?((ba|da|z|k)?sh|python[0-9.]*|perl|php|ruby)[ \t]*(-s?[ \t]*)?([;&|)]|$)/) {
    m = split($0, w, /[ \t;&<>|()]+/); for (j = 1; j <= m; j++) if (clean(w[j]) ~ /^[~\/]/) emit(clean(w[j]))
  }
  gsub(/[$][(][(][^()]*[)][)]/, "0")
  n = split(joined($0), parts, /[;&|(){}`]+|\$\(/); inside = 0; said = /(-c|eval)[ \t]+["']/
  for (i = 1; i <= n; i++) {
    if (1 < i) inside += gsub(/"/, "\"", parts[i - 1])
    is_text = inside % 2 && !said  # what is in quotes is no command
    m = split(parts[i], w, /[ \t]+/)
    other = 0; given = 0; lock = 0; quiet = 0; into = 0; cmd = ""; parts_run = 0
    for (j = 1; j <= m; j++) {
      t = clean(w[j]); b = base(t)
      if (w[j] ~ /^[0-9]*[>|]+&?$/) { into = 1; continue }
      if (into || w[j] ~ /^[0-9]*[>|]/) { into = 0; continue }
      if (!other && (given != 2 || cmd ~ /^(export|declare|readonly|typeset)$/) && t ~ /^(PATH|LD_(PRELOAD|LIBRARY_PATH)|PYTHONPATH|PERL5LIB|RUBYLIB|NODE_PATH|(BASH_)?ENV|PROMPT_COMMAND|(MAN)?PAGER|EDITOR|VISUAL)=/) {
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
      if (b ~ /^(if|then|else|elif|do|while|until|!|time|exec|trap|nohup|nice|ionice|env|flock|timeout|chronic|setsid|command|xargs|eval|run-parts|test|\[|cronic|systemd-cat|systemd-inhibit|stdbuf|unshare|chrt|taskset|strace|faketime|@)$/) { if (t ~ /^\//) emit(t); if (b == "flock") lock = 1; if (b == "run-parts") given = parts_run = 1; if (b == "test" || b == "[") { given = 2; quiet = 1 } continue }
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
"""Which paths lines of shell run or read: those with `?` before them are only named."""
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
