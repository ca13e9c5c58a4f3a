"""Files that hold a secret and that every account may read: by what is in them, told as kind, mode and name. Needs root.

A file counts if others may read it and may enter every folder above it. Looked into is each file up to 128 KiB. In text, UTF-16 too:
private keys, settings, statements and commands that hold a password or a token (`DB_PASSWORD=...`, `password = ...`, addresses with
a password), hashes of passwords outside code and manuals, and behind each word that announces a secret what nobody chose as a name: many changes between
capitals, letters and digits. Of other files, the first bytes: key stores, private keys without armour, keytabs. A file of one to
three words is one too where a setting names it as that of a secret (`auth-user-pass /etc/openvpn/auth`), and so is the key file of a
disk (crypttab(5)).
References, empty values and words like `your_password_here` are no secrets; in a file named as an example neither is what
looks like an example. What a package ships as it is here is public. What systemd tells every account of the environment of
services is looked through alike (`systemctl:portal.service`). Nothing of a file's text is printed, no link is
followed. What is mounted below the folders is
searched too where it is a disk of the host's own, and named where it is not: the search keeps off networks.

    password 644 www-data /var/www/portal/.env
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from checks.servers.probe import WEEK, Output, Probe, Unparseable, shown
from portalops.model.message import msg

_AWK = r"""
function told(kind,  n) {
  if (ENVIRON["U"]) { if (unit != "") print kind " systemctl:" unit; unit = ""; return }
  if (FILENAME in done) return
  done[FILENAME] = 1
  n = FILENAME == "" || FILENAME == "-" ? ENVIRON["F"] : FILENAME
  gsub(/\n/, "?", n)
  print kind " " n
}
function given(s,  v) {  # a command
  v = ""
  if (match(s, /(PGPASSWORD|MYSQL_PWD|SSHPASS)=["']?[^ \t"'$`)]+/) || match(s, /sshpass[ \t]+-p[ \t]*["']?[^ \t"'$`)]+/)) v = substr(s, RSTART, RLENGTH)
  else if (match(s, /(mysql|mariadb)[a-z-]*[ \t]/)) {
    s = substr(s, RSTART + RLENGTH - 1)
    if (match(s, /[ \t](-p|--password=)["']?[^ \t"'$`)]+/)) v = substr(s, RSTART, RLENGTH)
  }
  if (v != "") sub(/^[ \t]*(sshpass[ \t]+-p[ \t]*|-p|--password=|[A-Z_]+=)["']?/, "", v)
  else if (match(s, /(curl|wget)[ \t]/)) {
    s = substr(s, RSTART + RLENGTH - 1)
    if (match(s, /[ \t]--password[ =]*["']?[^ \t"'$`)]+/)) { v = substr(s, RSTART, RLENGTH); sub(/^[ \t]*--password[ =]*["']?/, "", v) }
    else if (match(s, /[ \t](-u|--user)[ =]*["']?[^: \t"'$`)]+:[^ \t"'$`)]+/)) { v = substr(s, RSTART, RLENGTH); sub(/^[^:]*:/, "", v) }
  }
  else if (match(s, /(^|[ \t\/])(un)?zip[ \t](.*[ \t])?-P[ \t]*["']?[^ \t"'$`)]+/)) { v = substr(s, RSTART, RLENGTH); sub(/.*[ \t]-P[ \t]*["']?/, "", v) }
  return v != "" && v !~ /^[A-Z_]+$/ && fit(v)
}
function inline(s,  t, v, k, i, n, w) {  # what stands anywhere in a line
  t = low
  placed = low ~ /"(host|server)"[ \t]*:[ \t]*"(localhost|[a-z0-9-]*[0-9.][a-z0-9.-]*)"|"port"[ \t]*:[ \t]*"?[0-9]/
  while (match(t, /(password|passwd|passphrase|pass|pwd|secret|token|(api|secret|access|private|auth)[_-]?key|bindpw|psk)["']?[])]?[ \t]*(=\076|:=|[=:])[ \t]*[bru]?["']/)) {
    k = substr(t, RSTART, RLENGTH)
    s = substr(s, RSTART + RLENGTH - 1); t = substr(t, RSTART + RLENGTH - 1)
    v = quoted(s)
    if ((strong(v) || (k ~ /^pass|^pwd/ && v !~ /[ \t]/ && (placed || (8 <= length(v) && v ~ /[A-Za-z][@#%^&*!+]+[A-Za-z0-9]/)))) && real(v) && v !~ /^[Pp]ass(word|wd)?$/ && (k !~ /^token/ || (16 <= length(v) && v !~ /^[a-z]+([._-][a-z0-9]+)+$/))) return told("password")
    s = substr(s, 2); t = substr(t, 2)
  }
  s = $0; t = low
  while (match(t, /\074([a-z0-9_.-]*:)?[a-z0-9_.-]*(password|passwd|pwd|secret|token|api_?key)([ \t][^\074\076]*)?\076[^\074\076 \t]+\074\//)) {
    v = after(substr(s, RSTART, RLENGTH - 2), "\076")
    if (real(v) && (strong(v) || name ~ /[.](xml|config)/)) return told("password")
    s = substr(s, RSTART + RLENGTH); t = substr(t, RSTART + RLENGTH)
  }
  if (match(low, /(name|key)="[^"]*(password|passwd|pwd|secret)"[ \t]+value="[^" \t]+/)) {
    v = $0; v = substr(v, RSTART, RLENGTH); sub(/.*"/, "", v)
    if (real(v) && (strong(v) || name ~ /[.](xml|config)/)) return told("password")
  }
  if (match(low, /(^|[;?\046"' \t])(password|pwd)[ \t]*=[ \t]*[^;"'\046 \t\074\076(),]+([;"'\046 \t]|$)/) && low ~ /(server|host|source|database|dbname|user|uid)( id)?[ \t]*=|jdbc:/) {
    v = after(substr($0, RSTART, RLENGTH), "="); gsub(/[;"'\046 \t]/, "", v)
    if (low ~ /[;?\046]/ ? fit(v) : sure(v)) return told("password")
  }
  s = $0
  while (match(s, /[a-z]:\/\/[^\/:@ \t"'\074\076]+:[^@\/ \t"'\074\076]+@/)) {
    v = substr(s, RSTART + 4, RLENGTH - 5); sub(/^[^:]*:/, "", v)
    if (v !~ /[{}$]|%s/ && sure(v)) return told("password")
    s = substr(s, RSTART + RLENGTH)
  }
  if (match(low, /"auth"[ \t]*:[ \t]*"[a-z0-9+\/=]+"/)) {
    v = substr($0, RSTART, RLENGTH - 1); sub(/.*"/, "", v)
    if (12 <= length(v) && v ~ /[A-Z]/ && v ~ /[a-z]/ && real(v)) return told("password")
  }
  if (match(low, /authorization["']?[ \t]*[:= \t][ \t]*["']?(basic|bearer)[ \t]+[a-z0-9+\/._=-]+/)) {
    v = substr($0, RSTART, RLENGTH); sub(/.*[ \t]/, "", v)
    if (16 <= length(v) && strong(v)) return told("password")
  }
  # commands that are given a password
  if (low ~ /mysql|mariadb|sshpass|pgpassword|curl|wget|zip/) {
    n = split($0, w, /[|;\046]/)
    for (i = 1; i <= n; i++) if (given(w[i])) return told("password")
  }
  # settings of a name, blanks and a value
  if (code) return
  v = ""
  if (match(low, /^[ \t]*(requirepass|masterauth|bindpw|rootpw|auth_pass)[ \t]+[^ \t]+[ \t]*$/) || match(low, /[ \t]insecure-password[ \t]+[^ \t]+/)) { v = $0; sub(/^.*(requirepass|masterauth|bindpw|rootpw|auth_pass|insecure-password)[ \t]+/, "", v); sub(/[ \t].*/, "", v) }
  else if (match($0, /^[ \t]*MONITOR[ \t]+[^ \t]+[ \t]+[0-9]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+[a-z]+/)) { split($0, w, /[ \t]+/); v = w[$0 ~ /^[ \t]/ ? 6 : 5] }
  else if (match($0, /^[ \t]*createUser[ \t]+[^ \t]+[ \t]+(MD5|SHA[0-9-]*)[ \t]+[^ \t]+/)) { v = substr($0, RSTART, RLENGTH); sub(/.*[ \t]/, "", v) }
  else if ($0 ~ /^\[[A-Za-z0-9.:-]+\](:[0-9]+)?[ \t]+[^: \t]+:[^ \t]+[ \t]*$/ || (name ~ /sasl|relay|smtp/ && $0 ~ /^[A-Za-z0-9.-]+(:[0-9]+)?[ \t]+[^: \t]+:[^ \t]+[ \t]*$/)) { v = $0; sub(/^[^ \t]+[ \t]+[^:]+:/, "", v); sub(/[ \t]+$/, "", v) }
  else if (low ~ /^[ \t]*[a-z0-9_.-]*(passw(or)?d|passphrase|secret|(auth|smtp|user|ldap|db|sql|mail|root|admin)[_-]?pass)[ \t]+["']?[^ \t"']+["']?[ \t]*$/) { v = $0; sub(/^[ \t]*[^ \t]+[ \t]+/, "", v); gsub(/["' \t]/, "", v); if (!strong(v)) v = "" }
  gsub(/^["']|["']$/, "", v)
  if (v != "" && fit(v)) told("password")
}
function mixed(v,  i, c, d, n) {  # many changes between capitals, letters and digits: nobody chose it as a name
  if (length(v) < 20 || v !~ /[A-Z]/ || v !~ /[a-z]/ || v !~ /[0-9]/ || v !~ /^[A-Za-z0-9+\/=_.~!@#%^*-]+$/) return 0
  if (v ~ /^AAAA[BCE]3|^MI[A-Z]|^AwEAA|^[Ss][Hh][Aa][0-9]+-/) return 0  # public keys, sums
  for (i = 1; i <= length(v); i++) {
    c = substr(v, i, 1); c = c ~ /[A-Z]/ ? 1 : c ~ /[a-z]/ ? 2 : c ~ /[0-9]/ ? 3 : d
    if (c != d) n++
    d = c
  }
  return (length(v) < 40 ? 0.5 : 0.4) * length(v) < n
}
function anywhere(s,  k, v, n, i, w) {  # what nobody chose behind a word that announces a secret, and what commands and statements are given
  if (low !~ /pass|pwd|secret|token|cred|key|auth|psk|bearer|identified|redis-cli|ldap|smbclient|rpcclient|lftp|ipmitool|snmp|sqlcmd|mongo|7z|docker|salt|sudo|kinit/ || ($0 !~ /[0-9]/ && low !~ /identified|password[ \t(]+["']|chpasswd/)) return
  if (match(low, /identified[ \t]+(with[ \t]+[a-z0-9_]+[ \t]+)?(by|as)[ \t]+["'][^"']+["']|(user|role|set|encrypted|with)[ \t].*password[ \t]+["'][^"']+["']|[ \t=,(]password[(]["'][^"']+["']/)) {
    v = substr($0, RSTART, RLENGTH - 1); sub(/.*["']/, "", v)
    if (fit(v) && v !~ /[%?]/) return told("password")
  }
  if (match($0, /["'][A-Za-z0-9_.-]+:[^"' \t:$]+["'][ \t]*\|[ \t]*(sudo[ \t]+)?(\/usr\/sbin\/)?chpasswd/)) {
    v = substr($0, RSTART + 1, RLENGTH - 1); sub(/["'].*/, "", v); sub(/^[^:]*:/, "", v)
    if (fit(v)) return told("password")
  }
  if (match($0, /(^|[ \t\[{,"'])[A-Z0-9_]*(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY)[A-Z0-9_]*["'\]]*[ \t]*([=:]|[ \t])[ \t]*["']?[^ \t"';,]+/) && !code) {
    k = v = substr($0, RSTART, RLENGTH); sub(/["'\]]*[ \t]*[=: \t].*/, "", k); sub(/^.[A-Z0-9_]+["'\]]*[ \t]*[=: \t][ \t]*["']?/, "", v)
    if (k !~ /_(FILE|PATH|NAME|URL|URI|TTL|LENGTH|EXPIRE[A-Z]*|TYPE|HASH|ID|ENV|DAYS|MIN|MAX)$/ && sure(v)) return told("password")
  }
  if (match(low, /(^|[ \t,;])((password|passwd|passphrase|secret)([ \t]+|=)|([a-z0-9_.-]*[_.-])?(pass|passwd|password|pwd)=)[^ \t,"'=:;]+([ \t,;]|$)/) && !code) {
    k = v = substr($0, RSTART, RLENGTH); sub(/^[ \t,;]?[a-zA-Z0-9_.-]+[ \t=]+/, "", v); gsub(/[ \t,;]/, "", v)
    if (sure(v) || (k ~ /ansible_/ && fit(v))) return told("password")
  }
  if (match(low, /[ \t"'\[,]--?[a-z-]*(password|passwd|passphrase|pass|pwd|secret|token|api-?key)(["'],[ \t]*|[ =]+)["']?[^ \t"'$`)]+/) || match($0, /(redis-cli.*[ \t]-a|ldap[a-z]+ .*[ \t]-w|ipmitool.*[ \t]-P|snmp[a-z]+ .*[ \t]-[AX]|7z.*[ \t]-p|sqlcmd.*[ \t]-P|mongo[a-z]* .*[ \t]-p|docker[ \t]+login.*[ \t]-p|[ \t]pass:)[ \t]*["']?[^ \t"'$`)]+/) || match($0, /(smbclient|rpcclient|net)[ \t].*-U[ \t]*["']?[^ %"']+%[^ \t"'$`)]+|lftp[ \t].*-u[ \t]*["']?[^ ,"']+,[^ \t"'$`)]+/)) {
    v = substr($0, RSTART, RLENGTH); if (v ~ /^(lftp|smb|rpc|net)/ || v ~ /["'],/) sub(/.*[%,][ \t]*/, "", v); sub(/.*([ \t=]|pass:)["']?/, "", v); gsub(/^["']/, "", v); sub(/^-[a-zA-Z]/, "", v)
    if (sure(v)) return told("password")
  }
  if (match(low, /(name|key)="[^"]*(password|passwd|pwd|secret|token)"[^\074\076]*\076[^\074\076 \t]+\074\//)) {
    v = substr($0, RSTART, RLENGTH - 2); sub(/.*\076/, "", v)
    if (sure(v) && v !~ /^[Pp]ass/) return told("password")
  }
  if (match(low, /:_(authtoken|password|auth)=[^ \t]+|echo[ \t]+["']?[^ \t"'$`|]+["']?[ \t]*\|[ \t]*(sudo[ \t]+-s|passwd|kinit|docker|su|gpg|cryptsetup|openssl)([ \t]|$)|:[ \t]*(psk|eap|xauth)[ \t]+["'][^"']+/)) {
    v = substr($0, RSTART, RLENGTH); if (v ~ /^echo/) { sub(/^echo[ \t]+["']?/, "", v); sub(/["']?[ \t]*\|.*/, "", v) } else sub(/.*[="']/, "", v)
    if (sure(v)) return told("password")
  }
  if ((doc && (manual || low !~ /^[a-z_.-]+[=:]/)) || name ~ /[.](css|svg|map)$|^record$/ || low ~ /pub|finger|integrity|checksum|site_?key|key_?id|signed-by|(^|[^a-z-])(sha(1|256|384|512)|md5)[:=]|[ck]ommit|revision/) return
  if (!match(low, /(pass|pwd|secret|token|cred|auth|psk|bearer|salt|(^|[^a-z]|api|access|private|shared|master|account|storage|encryption|signing)_?key)[a-z0-9_.-]*["'\])\076]*[ \t]*[=: \t,]/)) return
  s = substr($0, RSTART + RLENGTH)
  if (length(s) < 20) return
  k = low ~ /pass|secret|token|cred|bearer|(api|encryption|signing|master|private)_?key/
  n = split(s, w, /[ \t"':,;\074\076(){}|\046\[\]=]+/)
  for (i = 1; i <= n; i++)
    if (20 <= length(w[i]) && (mixed(w[i]) || (k && 32 <= length(w[i]) && w[i] ~ /^[0-9a-f]+$/ && w[i] ~ /[a-f]/)) && real(w[i]) && (!code || index(s, "\"" w[i]) || index(s, "'" w[i]))) return told("password")
}
function hashed(s,  v) {  # that of a password, in a form that tells itself
  if (match(s, /[$]2[abxy]?[$][0-9][0-9][$][.\/A-Za-z0-9]+/) && 59 <= RLENGTH || match(s, /[$][PHS][$][.\/A-Za-z0-9]+/) && 34 <= RLENGTH || match(s, /[$](1|5|6|7|y|gy|apr1)[$](rounds=[0-9]+[$])?[.\/A-Za-z0-9]+([$][.\/A-Za-z0-9]+)?[$][.\/A-Za-z0-9]+/) && 28 <= RLENGTH || match(s, /[$](argon2[id]+|scrypt|pbkdf2[a-z0-9-]*)[$][^ "']*[$][A-Za-z0-9.\/+=]+/) || match(s, /[{](S?SHA(256|512)?|S?MD5|CRYPT|ARGON2[ID]*|PBKDF2|BLF-CRYPT)([.]b64)?[}][A-Za-z0-9.\/+=$]+/)) {
    v = substr(s, RSTART, RLENGTH); sub(/.*[$}]/, "", v)
    return 20 <= length(v) && v ~ /[A-Z]/ && v ~ /[a-z]/ && v ~ /[0-9]/
  }
  return match(s, /pbkdf2[:_]sha[0-9]+[:$][0-9]+[$][^$ ]+[$][A-Za-z0-9+\/=]+|scrypt:[0-9:]+[$][^$ ]+[$][0-9a-f]+|SCRAM-SHA-256[$][0-9]+:[A-Za-z0-9+\/=]+[$]/) || (match(s, /[*][0-9A-F]+/) && RLENGTH == 41)
}
function value(v,  q, i) {
  sub(/^[ \t]*/, "", v)
  q = substr(v, 1, 1)
  if (q == "\"" || q == "'") {
    v = substr(v, 2)
    i = index(v, q)
    return i ? substr(v, 1, i - 1) : ""
  }
  sub(/[ \t]+[#;].*$/, "", v)
  sub(/[ \t;,)]*$/, "", v)
  return v
}
function real(v,  l) {
  l = tolower(v)
  if (length(v) < 4 || v ~ /^[$][A-Za-z_{(]/ || v ~ /^%[A-Za-z_]+%?$/ || v ~ /[{][{%]/ || v ~ /^\074.*\076$/ || v ~ /^@[A-Za-z_]+@$/) return 0
  if (v ~ /^[\/~!]/ || v ~ /[$][{(]/ || l ~ /^[a-z_.]+[(]/ || v ~ /^[{].*[}]$|[{][a-z_]*[}]/ || v !~ /[A-Za-z0-9]/ || v ~ /[A-Za-z_)]\[["']?[$A-Za-z_]/ || l ~ /(^|[^a-z])(process[.]env|os[.]environ|getenv)/) return 0
  if (code && v ~ /^_*[A-Z][A-Z_]+$|^\[|[\])][+*]|\\[wdsAW]/) return 0
  if (l ~ /^(x+|[*]+|[.]+|-+|none|null|true|false|nil|todo|fixme|required|optional|string|required[|].*)$/) return 0
  if (l ~ /^(your|put|insert|enter|replace|my)[-_ ]/ || l ~ /[-_ ]here$/) return 0
  if (example && (l ~ /secret|passw|pass$|test|dummy|example|sample|change|homestead|default|foo|bar|root|admin|user|1234|token|key/ || length(v) < 12)) return 0
  return 1
}
function fit(v) { return real(v) && (doc || code ? strong(v) : v !~ /[ \t]/) }
function sure(v) { return strong(v) && real(v) }
function quoted(s,  q, i) {  # the literal at the beginning of it
  if (s ~ /^[bBrRuU]["']/) s = substr(s, 2)
  q = substr(s, 1, 1)
  i = index(s = substr(s, 2), q)
  return i ? substr(s, 1, i - 1) : ""
}
function after(s, sign) { return substr(s, index(s, sign) + length(sign)) }
function strong(v) { return 8 <= length(v) && v ~ /[0-9]/ && v ~ /[A-Za-z]/ && v !~ /[ \t]/ && v ~ /^[!-~]+$/ }
function alone() {  # the one line of the file before: a key of WireGuard and the like
  if (only != "" && !(only in done)) { done[only] = 1; n = only == "-" ? ENVIRON["F"] : only; gsub(/\n/, "?", n); print "key " n }
}
END { alone() }
FNR == 2 && /[^ \t\r]/ { only = "" }
FNR == 1 {
  alone()
  expect = database = pending = block = named = worth = due = 0
  name = tolower(FILENAME == "" || FILENAME == "-" ? ENVIRON["F"] : FILENAME)
  sub(/.*\//, "", name)
  only = name !~ /pub/ && ((length($0) == 44 && /^[A-Za-z0-9+\/]+=$/) || (name ~ /key|cookie|secret|token/ && ((/^[0-9a-f]+$/ && length($0) ~ /^(32|64|128)$/) || (/^[A-Z]+$/ && length($0) == 20)))) ? FILENAME : ""
  column = ask = before = 0
  if (name ~ /[.][ct]sv$/) for (n = split(tolower($0), w, /[,;\t]/); 0 < n; n--) if (w[n] ~ /^"?(password|passwd|pass|mat_?khau|m\341\272\255t kh\341\272\251u)"?\r?$/) column = n
  putty = $0 ~ /^PuTTY-User-Key-File/
  manual = name ~ /readme|changelog|news|[.](md|rst|html?|adoc|[1-8])$|^(metadata|pkg-info)$/
  doc = manual || name ~ /[.]txt$/
  # in code a value without quotes is the name of one
  code = name ~ /[.](pyi?|pyx|[mc]?jsx?|tsx?|rb|php[0-9]?|phtml|java|kt|scala|go|rs|[ch]|cc|cpp|hpp|cs|vb|swift|lua|p[lm]|t|r|groovy|gradle|tf|vim)([.~](bak|old|orig|save|[0-9])?)*$/
  if ($0 ~ /^#!.*(python|perl|ruby|node|php|lua)/ || $0 ~ /^.?.?.?\074[?]php/) code = 1
  if ($0 ~ /^[ \t]*;/) code = 0  # settings that no web server shows
  example = name ~ /example|sample|[.-]dist($|[.])|template|default/
  every = column || name ~ /(chap|pap)-secrets|userlist|pgbouncer|pgpass|sasl|relay|smtp/
}
FILENAME in done { next }
ENVIRON["U"] && sub(/^Unit=/, "") { unit = $0; next }
ENVIRON["U"] && unit == "" { next }
/^Key:[ \t]*[(]private-key[ (]/ { told("key"); next }  # of GnuPG, without a passphrase
{ low = tolower($0) }
# most lines have none of these, and say nothing unless one before them made them count
due < FNR && !every && (low !~ /a(ss(word|phrase)|uth[a-z0-9_.-]*["')\]]*[ \t]*[=: \t,\076]|iza|tatt|scii:)|bearer[a-z0-9_.-]*["')\]]*[ \t]*[=: \t,\076]|c(red[a-z0-9_.-]*["')\]]*[ \t]*[=: \t,\076]|url[ \t]|reateuser[ \t])|d(o(cker|[opr]_v1_)|iscord)|eyj[a-z0-9_-]+[.]eyj|g(h[pousr]_|ithub_pat_|lpat-|etconnection)|h(f_|vs[.]|ooks[.]slack|ex:)|i(dentified|nsert into|pmitool)|k(ey[a-z0-9_.-]*["')\]]*[ \t]*[=: \t,\076]|h(a|\341\272\251)u|init)|l(dap|ftp|s0tls1crudjt)|m(ysql|aria|ongo|onitor[ \t])|n(ame["']?:[ \t]*["']?[a-z0-9_]*(token|key)|pm_)|p(ass|w|sk|do|rivate[- ]|bkdf2|ypi-age)|r(edis-cli|pcclient|k_live)|s(ecret|alt[a-z0-9_.-]*["')\]]*[ \t]*[=: \t,\076]|ql|nmp|udo|mbclient|tatic key|cr(ypt|am-)|k_live|k-(ant|proj)-|hpat_|g[.])|to(ken[a-z0-9_.-]*["')\]]*[ \t]*[=: \t,\076]|tp_auth)|u(rl[.]create|ser[ \t])|w(get[ \t]|ebhook|hsec_)|xox[abprs]-|zip[ \t]|7z|:(aa|\/\/[^\/:@ \t]*:[^@\/ \t]+@|[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f])|[*][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]|["'](database|db|host|dsn)|[$](db|host|name|user|[a-z0-9-]+[$])|[{](s?sha|s?md5|crypt|argon2|pbkdf2|blf)|^\[[a-z0-9.:-]+\](:[0-9]+)?[ \t]|^v [0-9]/ || (code && !/["'0-9$@\/{\076]/ && low !~ /ass|private key|sqlconnect/)) { next }
sub(/\r$/, "") { low = tolower($0) }
expect && FNR <= expect {
  if ($0 ~ /^[ \t]*[A-Za-z0-9+\/]+=*$/ && 30 <= length($0)) told("key")
}
match($0, /-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----|-----BEGIN OpenVPN Static key V1-----/) {
  rest = substr($0, RSTART + RLENGTH)
  expect = due = FNR + 6
  if (rest ~ /^(\\[nr])*[A-Za-z0-9+\/]/ && 30 <= length(rest)) told("key")
  next
}
/LS0tLS1CRUdJTiB(QUklW|SU0EgUFJJ|FQyBQUklW|PUEVOU1NI|FTkNS|QR1AgUFJJ|EU0EgUFJJ)/ { told("key"); next }
putty && /^Private-Lines: [0-9]/ { told("key"); next }
/^[^:# \t]+:[$](apr1|1|2[aby]|5|6|7|y|gy)[$]/ || /^[^:# \t]+:[{]S?SHA[}]/ { told("hash"); next }
match($0, /AGE-SECRET-KEY-1[A-Z0-9]+/) && 60 <= RLENGTH || /^" TOTP_AUTH/ { told("key"); next }
match($0, /(gh[pousr]_|github_pat_|glpat-|xox[abprs]-|hooks[.]slack[.]com\/services\/|discord(app)?[.]com\/api\/webhooks\/|webhook[.]office[.]com\/webhookb2\/|sk_live_|rk_live_|whsec_|sk-(ant|proj)-|npm_|pypi-AgE|do[opr]_v1_|hf_|AIza|shpat_|hvs[.]|ATATT|SG[.]|[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]:AA)[A-Za-z0-9_\/.@-]+/) && 26 <= RLENGTH {
  v = substr($0, RSTART, RLENGTH)
  sub(/^[0-9]+:/, "", v)
  if (strong(v) && !example && tolower(v) !~ /xxxx|0000|1234|example|your/) { told("password"); next }
}
FNR == block { v = $0; gsub(/^[ \t]+|[ \t]+$/, "", v); if (sure(v)) told("password"); next }
!code && low ~ /^[- \t]*["']?[a-z0-9_.-]*(passw(or)?d|passphrase|secret|token|api_?key)["']?:[ \t]*[|\076][-+0-9]*[ \t]*$/ { block = due = FNR + 1; next }
/^[0-9]+[ \t]+(MD5|SHA[0-9-]*|AES[0-9]*)[ \t]+(HEX|ASCII):[^ \t]/ { if (8 <= length($0) - 12) told("key"); next }
name ~ /(chap|pap)-secrets/ && /^[^#]/ { split($0, w, /[ \t]+/); v = w[3]; gsub(/"/, "", v); if (real(v)) told("password"); next }
name ~ /userlist|pgbouncer/ && /^"[^"]+"[ \t]+"[^"]+"/ { v = $0; sub(/^"[^"]+"[ \t]+"/, "", v); sub(/".*/, "", v); if (real(v)) told(v ~ /^(md5|SCRAM-)/ ? "hash" : "password"); next }
/^[a-z+]+:\/\/[^\/:@ \t]+:[^@\/ \t]+@/ { v = $0; sub(/^[a-z+]+:\/\/[^\/:@]+:/, "", v); sub(/@.*/, "", v); if (real(v)) told("password"); next }
/^[ \t]*([#;*]|\/\/|--)/ && !/^\/\/[A-Za-z0-9.-]+\/[^ \t]*([ \t]+\/|:_)/ { next }
column && 1 < FNR && split($0, w, /[,;\t]/) { v = w[column]; gsub(/^"|"$/, "", v); if (sure(v)) { told("password"); next } }
!manual && !code && !example && (hashed($0) || (/^[^: \t]+:[0-9]+:[0-9A-FX*]+:[0-9A-F]+:/ && split($0, w, ":") && length(w[4]) == 32)) { told("hash"); next }
!manual && !code && (match($0, /otpauth:\/\/[th]otp\/.*[?\046]secret=[A-Z2-7]+/) && !/JBSWY3DP|xample/ || name !~ /[.](map|css|svg)$/ && match($0, /eyJ[A-Za-z0-9_-]+[.]eyJ[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+/) && 60 <= RLENGTH && !example) { told("key"); next }
/^[ \t]*expect.*(assword|assphrase)/ { ask = due = FNR + 2; next }
FNR <= ask && match($0, /^[ \t]*send[ \t]+(--[ \t]+)?"[^"$\\]+\\[rn]"/) { v = $0; sub(/^[^"]*"/, "", v); sub(/\\.*/, "", v); if (real(v)) { told("password"); next } }
FNR == worth { if (real($0)) told("password"); next }
/^V [0-9]+$/ && FNR == before + 1 { worth = due = FNR + 1 }
/^password/ { before = FNR }
match(low, /(m\341\272\255t|mat)[ _-]?(kh\341\272\251u|khau)[a-z0-9 _.-]*["']?[ \t]*[:=][ \t]*/) {
  v = substr($0, RSTART + RLENGTH)
  if (!code || v ~ /^["']/) { v = value(v); if (sure(v)) { told("password"); next } }
}
!code && match($0, /^[ \t]*user[ \t]+[^ \t]+[ \t].*\076[^ \t]+/) && match($0, /[ \t]\076[^ \t]+/) { v = substr($0, RSTART + 2, RLENGTH - 2); if (fit(v)) { told("password"); next } }
named && FNR <= named && match(low, /["']?value["']?[ \t]*:[ \t]*/) { v = value(substr($0, RSTART + RLENGTH)); if (v !~ /[ \t]/ && real(v)) { told("password"); next } }
!code && match($0, /["']?(name|Name)["']?:[ \t]*["']?[A-Z0-9_]*(PASSWORD|PASSWD|SECRET|TOKEN|API_KEY|_KEY)["']?[ \t]*,?/) { v = substr($0, RSTART + RLENGTH); named = due = FNR + 1; if (match(tolower(v), /["']?value["']?[ \t]*:[ \t]*/)) { v = value(substr(v, RSTART + RLENGTH)); if (v !~ /[ \t]/ && real(v)) { told("password"); next } } }
match(low, /(auth-user-pass|pass(word|wd|phrase)?[_-]?file|credentials?([_-]?file)?|secrets?[ _-]?file|token[_-]?file)["']?[ \t]*[=: \t][ \t]*["']?\/[^ \t"',;]+/) { v = substr($0, RSTART, RLENGTH); sub(/^[^\/]*/, "", v); print "ref " v }
!doc && match(low, /(new[ \t]+(mysqli|[\\]?pdo)|mysqli?_(real_)?p?connect|getconnection|url[.]create)[ \t]*[(]/) {
  n = split(substr($0, RSTART + RLENGTH), w, ","); v = w[3]; sub(/^[ \t]*/, "", v)
  if (2 < n && v ~ /^["'][^"']+["']/) { v = quoted(v); if (real(v) && tolower(v) !~ /^(pass|pwd|user|secret|test|example)/) { told("password"); next } }
}
name ~ /[.]sql/ && low ~ /insert into[^(]*(user|account|member|admin)/ {
  for (s = $0; match(s, /'[0-9a-f]+'/); s = substr(s, RSTART + RLENGTH)) if (RLENGTH - 2 ~ /^(32|40|64|128)$/) told("hash")
}
match($0, /\074[Pp]ass encoding="base64"\076[A-Za-z0-9+\/=]+\074/) && 28 < RLENGTH || /^[ \t]*SQLConnectInfo[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]/ { told("password"); next }
low !~ /pass|pwd|secret|token|key|psk|pw|auth|cred|bearer|identified|redis-cli|ldap|smbclient|rpcclient|lftp|ipmitool|snmp|sqlcmd|mongo|7z|zip|sudo|kinit|monitor|dsn|database|host|dbname|name|user|db|_ur[il]|curl|mysql|maria|:[^ ]/ { next }
{ inline($0) }
!(FILENAME in done) { anywhere() }
/["'](database|dbname|host|hostname|dsn)["'][ \t]*=\076/ || /[$](db_?)?(host|name|user|db)[a-z]*[ \t]*=/ { database = 1; if (pending) told("password") }
match($0, /define[(][ \t]*["'][A-Z0-9_]*(PASSWORD|PASSWD|SECRET|TOKEN|_KEY|_SALT)["'][ \t]*,[ \t]*/) {
  v = substr($0, RSTART + RLENGTH)
  if (v ~ /^["']/ && real(value(v))) told("password")
  next
}
match(low, /["'](password|passwd|pass|secret|api_?key|token)["']\]?[ \t]*=\076?[ \t]*["']/) || \
match(low, /["'](password|passwd|pass|secret|api_?key|token)["'][ \t]*=\076[ \t]*["']/) || \
match(low, /^[ \t]*((public|var|private|protected|static|const)[ \t]+)*[$][a-z_]*(pass|password|passwd|secret|token)[ \t]*=[ \t]*["']/) {
  v = value(substr($0, RSTART + RLENGTH - 1))
  if (v !~ /[ \t]/ && real(v)) { if (database || strong(v)) told("password"); pending = 1 }
  next
}
/^[ \t]*secret[ \t]+"[A-Za-z0-9+\/=]+"/ { v = $0; sub(/^[ \t]*secret[ \t]+/, "", v); v = value(v); if (20 <= length(v)) told("key"); next }
/^[^: \t]+:[^:\t]+:[0-9a-f]+$/ && match($0, /[0-9a-f]+$/) && RLENGTH == 32 { told("hash"); next }
name ~ /pgpass/ && /^[^#:]+:[^:]*:[^:]*:[^:]*:./ { told("password"); next }
/^[ \t]*machine[ \t].*[ \t]password[ \t]+[^ \t]/ || (name == ".netrc" && /^[ \t]*password[ \t]+[^ \t]/) { told("password"); next }
match($0, /^[ \t]*((export|set|-|Environment=)[ \t]*)?["']?[A-Za-z_][A-Za-z0-9_.-]*["']?[ \t]*[=:][ \t]*/) {
  k = substr($0, 1, RLENGTH)
  v = substr($0, RLENGTH + 1)
  if (code && v !~ /^[bBrRuU]?["']/) next
  v = code ? quoted(v) : value(v)
  colon = k ~ /:[ \t]*$/
  sub(/^[ \t]*((export|set|-|Environment=)[ \t]*)?["']?/, "", k)
  sub(/["']?[ \t]*[=:][ \t]*$/, "", k)
  l = tolower(k)
  if (l ~ /(_file|_path|_length|_expire.*|_ttl|_name|_type|_algo.*|_lifetime|_min|_max|_days|_url|_uri|_host|_field|_timeout|_hash|_env|public.*)$/ && l !~ /(database|redis|mongo|amqp|broker)_ur[il]$|^dsn$|_dsn$/) next
  if (l ~ /(database|redis|mongo|amqp|broker)_ur[il]$|^dsn$|_dsn$/) {
    if (v ~ /:\/\/[^\/:@ \t]*:[^@\/ \t]+@/) { sub(/^[^:]*:\/\/[^:@]*:/, "", v); sub(/@.*/, "", v); if (real(v)) told("password") }
    next
  }
  if (!real(v) || (v ~ /^[0-9]+$/ && l !~ /passw(or)?d$/)) next
  if (code && l ~ /token/ && !(strong(v) && 16 <= length(v))) next
  if (k == toupper(k) && k ~ /PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|APP_KEY|(^|_)(PASS|PW)$|_PWD$/) told("password")
  else if (v ~ /[ \t]/) next
  else if (l ~ /^(privatekey|presharedkey)$/ && length(v) == 44) told("key")
  else if (l ~ /(^|[._-])token$/ && 20 <= length(v) && strong(v) && v !~ /^[a-z]+([._-][a-z0-9]+)+$/) told("password")
  else if (l ~ /secret_access_key$|client_secret$|^auth$/ && 8 <= length(v)) told("password")
  else if (l ~ /(^|[._-])secret$/ && strong(v)) told("password")
  else if (l ~ /(^|[._-]|db|database|mysql|ldap|smtp|bind)(password|passwd|passphrase|pass|bindpw|psk|api_?key|auth_?token|secret_?key)$/ && (!colon || l ~ /(db|database|mysql|postgres|redis|ldap|smtp|mail|admin|root|ssh|become)[._-]?pass/ || strong(v))) told("password")
}
"""
_SCRIPT = r"""
export LC_ALL=C
for p in grep awk xargs od stat setpriv; do command -v $p >/dev/null || exit 127; done
# A file may be swapped for a link to a device when it has been found: what is read is read as an account that owns nothing.
P="setpriv --reuid=65533 --regid=65533 --clear-groups --inh-caps=-all"
[ "$(id -ru)" = 0 ] || P=
ulimit -v 1048576
set --
for d in /etc /var/www /home /srv /opt /usr/local/etc /usr/local/bin /usr/local/sbin /var/backups /root; do
  [ ! -d "$d" ] || { d=$(readlink -f -- "$d") && set -- "$@" "$d"; } || exit 4
done
while read -r x m t x; do
  m=$(printf '%b' "$m")
  for d in "$@"; do case $m in "$d"/*)
    case $t in
      ext?|xfs|btrfs|zfs|f2fs|jfs|overlay|tmpfs) [ ! -d "$m" ] || set -- "$@" "$m";;
      *) printf 'unseen - %s\n' "$(printf %s "$m" | tr '\n' '?')";;
    esac
    break;;
  esac; done
done </proc/self/mounts || exit 4
R=" $* "
S='[[:blank:]]'
B="$S*"
A=AWK
G=$(printf '\076')
# What awk tells of has such a line. Those that count from where a line begins are sought apart: one automaton of both has so many
# states that grep is busy with building them. awk knows some files by their names.
H="^(key:$B[(]private-key[( ]|[^:#[:blank:]]+:([$](apr1|1|2[aby]|5|6|7|y|gy)[$]|[{]S?SHA[}])|private-lines:|\" TOTP_AUTH|[0-9]+$S+(MD5|SHA[0-9-]*|AES[0-9]*)$S+(HEX|ASCII):"
H="$H|\"[^\"]+\"$S+\"[^\"]+\"$B\$|${B}user$S+[^[:blank:]]+$S.*${G}[^[:blank:]]|$B(requirepass|masterauth|bindpw|rootpw|auth_pass|monitor|createuser)$S"
H="$H|\[[a-z0-9.:-]+\](:[0-9]+)?$S+[^:[:blank:]]+:|[a-z0-9-]+[.][a-z0-9.-]+(:[0-9]+)?$S+[^:[:blank:]]+:[^[:blank:]/]+$B\$"
H="$H|$B[a-z0-9_.-]*(passw(or)?d|passphrase|secret|(auth|smtp|user|ldap|db|sql|mail|root|admin)[_-]?pass)$S+[^[:blank:]]+$B\$"
H="$H|[a-z0-9+/]+=\$|${B}send$S+\"?|(password|[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{128}|[a-z]{20})\$|echo$S.*[|]"
H="$H|${B}(password$S|secret$S+\")"
H="$H|[-[:blank:]]*((export|set|Environment=)$B)?[\"']?([a-z0-9_.-]*((password|passwd|passphrase|secret|token|api_?key|(access|private|app)_key)[a-z0-9_.-]*"
H="$H|pass|pwd?|psk|secret_?key)|auth|p(rivate|reshared)key)[\"']?$B[=:]$B[\"']?([^/~![:blank:]].|[|$G]))"
W="PRIVATE KEY|Static key V1|://[^/:@[:blank:]]*:[^@/[:blank:]]+@|define[(]$B[\"'][a-z0-9_]*(password|passwd|secret|token|_key|_salt)"
W="$W|[\"'](pass|secret|api_?key|token)[a-z]*[\"']$B=."
W="$W|(pass(wd|word|phrase)?|pwd|secret|token|(api|secret|access|private|auth)[_-]?key|bindpw|psk)[\"']?[])]?$B(=>|:=|[=:])$B[bru]?[\"']"
W="$W|<[a-z0-9_.:-]*(password|passwd|pwd|secret|token|api_?key)($S[^<$G]*)?$G[^<$G[:blank:]]+</|(password|passwd|pwd|secret)\"$S+value="
W="$W|[;?&\"'[:blank:]](password|pwd)$B=$B[^;\"'&[:blank:]<$G(),]+([;\"'&[:blank:]]|\$)|\"auth\"$B:$B\"|authorization[\"']?$B[:=[:blank:]]$B[\"']?(basic|bearer)"
W="$W|(mysql|mariadb)[a-z-]*$S(.*$S)?(-p|--password=)[^[:blank:]]|sshpass$S|(PGPASSWORD|MYSQL_PWD|SSHPASS)=|(curl|wget)$S(.*$S)?(-u|--user|--password)|(zip|7z[a-z]*|docker$S+login|mongo[a-z]*)$S(.*$S)?-p"
W="$W|AGE-SECRET-KEY-1|gh[pousr]_[a-z0-9]{16}|github_pat_|glpat-|xox[abprs]-|hooks[.]slack[.]com/services/"
W="$W|m(ậ|a)t[ _-]?kh(ẩ|a)u[^:=]{0,20}[:=]|${S}insecure-password$S"
W="$W|identified$S+((by|as)$S+[\"']|with$S)|chpasswd|discord(app)?[.]com/api/webhooks/|webhook[.]office[.]com|[sr]k_live_|whsec_|sk-(ant|proj)-|npm_|pypi-AgE|do[opr]_v1_|hf_|AIza|shpat_|hvs[.]|ATATT|SG[.][a-z0-9_-]{9}|[0-9]{8}:AA"
W="$W|LS0tLS1CRUdJTiB|[$](2[abxy]?[$][0-9]|[PHS][$][./a-z0-9]{9}|(1|5|6|7|y|gy|apr1)[$][./a-z0-9=]{4}|argon2|scrypt|pbkdf2)|[{](S?SHA|S?MD5|CRYPT|ARGON2|PBKDF2|BLF)[a-z0-9.-]*[}][./a-z0-9+]{9}|pbkdf2[:_]sha|scrypt:[0-9]|SCRAM-SHA-256[$]|[*][0-9A-F]{9}|:[0-9]+:[0-9a-fx*]{9}"
W="$W|otpauth://|[.]eyJ|(^|[,;])\"?(pass(word|wd)?|mat_?khau|mật khẩu)\"?([,;]|\$)|mysqli|pdo$B[(]|mysql_p?connect|getConnection|URL[.]create|insert into[^(]*(user|account|member|admin)|<pass encoding|SQLConnectInfo|password[(][\"']|[_[:blank:]](pass|pwd)="
W="$W|(pass(w(or)?d|phrase)?|pwd|secret|token|cred|auth|psk|bearer|key)[a-z0-9_.-]*[])\"'=:$G[:blank:]]+([,[{(]$B[\"'])?([^[:blank:]\"'<]|<[^/[:blank:]\"']|</[^h[:blank:]\"'])*[0-9]"
W="$W|redis-cli|ldap(search|modify|add|delete)|ipmitool|snmp(get|walk|set)|smbclient|rpcclient|lftp|sqlcmd|mongo(sh|dump|restore)?$S|${S}pass:|:_(auth|password)|:$B(psk|eap|xauth)$S|:[0-9a-f]{32}\$|name[\"']?:$B[\"']?[a-z0-9_]*(pass|secret|token|key)"
W="$W|(auth-user-pass|pass(word|wd|phrase)?[_-]?file|credentials?([_-]?file)?|secrets?[ _-]?file|token[_-]?file)[\"']?$B[=:[:blank:]]$B[\"']?/"
W="$W|[\$][a-z_]*(pass|passwd|password|secret|token)$B=|machine$S.*password"
N='\A(\xff\xfe|\(11:private-key|\xfe\xff|\xfe\xed\xfe\xed|\xce\xce\xce\xce|\x03\xd9\xa2\x9a|\x05\x02\x00\x00|\x30(\x81.|\x82..|[\x20-\x7f])\x02\x01[\x00-\x03][\x02\x04\x30]|[\x94\x95\xc5][\x00-\xff]{1,2}\x04)'
export A H W N
L=$({
  {
    find "$@" -ignore_readdir_race -xdev -type d ! -perm -001 -prune -o -type f -perm -004 -size +0 -size -129k \
      -print0 || echo failed >&3
  } | xargs -0 -r -s 1000000 $P sh -c '{
      for w in "$H" "$W"; do grep -D skip -lZIsEi -e "$w" -- "$@"; [ $? -lt 3 ] || echo failed >&3; done
      printf "%s\0" "$@" | grep -zEi "((ch|p)ap-secrets|pgpass)[^/]*\$"
    } | sort -zu | xargs -0 -r -s 1000000 awk "$A" || echo failed
    grep -D skip -lZsaP -e "$N" -- "$@" | xargs -0 -r sh -c '\''for F; do [ -h "$F" ] || case $(od -An -v -tx1 -N 12 -- "$F" | tr -d " \n") in
      fffe* | feff*) tr -d "\000\376\377" <"$F" | F=$F awk "$A" || echo failed ;;
      30??02010[01]04*|30??0201003*|3081??02010[01]*|3082????02010[013]*|2831313a707269766174652d*|feedfeed*|cececece*|03d9a29a*|05020000*|9[45]??04*|95????04*|c5??04*|c5????04*) printf "key %s\n" "$F" | tr "\n" "?" | sed "s/?\$//"; echo ;;
    esac; done'\'' sh; :' sh || echo failed
  # systemd shows every account what units set, whoever may read their files
  ! command -v systemctl >/dev/null || systemctl show -p Id -p Environment -- '*.service' 2>/dev/null | awk 'BEGIN { RS = ""; FS = "\n" } {
    i = $1 ~ /^Id=/ ? 1 : 2; e = $(3 - i); u = $i; sub(/^Id=/, "", u); sub(/^Environment=/, "", e)
    n = split(e, w, " "); print "Unit=" u; for (i = 1; i <= n; i++) { gsub(/^"|"$/, "", w[i]); print w[i] } }' | U=1 F=- awk "$A" || echo failed
} 3>&1 | head -c 400000)  # more than may be printed
public() {  # FILE: a package ships it as it is here, so that everybody has it
  s=$(sed -n "s#^ $1 \([0-9a-f]*\)\( .*\)*\$#\1#p" /var/lib/dpkg/status 2>/dev/null) && [ -n "$s" ] || return 1
  [ "$(md5sum <"$1")" = "$s  -" ]
}
{  # what settings name as the file of a secret: words, or the key of a disk
  printf '%s\n' "$L" | sed -n 's#^ref \(/[A-Za-z0-9/._-]*\)$#words \1#p'
  sed -nE 's#^[[:blank:]]*[^\#[:blank:]]+[[:blank:]]+[^[:blank:]]+[[:blank:]]+(/[A-Za-z0-9/._-]+)([[:blank:]].*)?$#disk \1#p' /etc/crypttab 2>/dev/null
} | sort -u | head -n 40 | while read -r k f; do
  [ -f "$f" ] && [ ! -h "$f" ] || continue
  ! printf '%s\n' "$L" | grep -qxF -e "password $f" -e "hash $f" -e "key $f" || continue
  d=$f
  set --
  while [ "${d%/*}" ]; do d=${d%/*}; set -- "$@" "$d"; case $R in *" $d "*) break ;; esac; done
  stat -L -c %a -- "$f" "$@" 2>/dev/null | awk 'NR == 1 ? !/[4567]$/ : !/[1357]$/ { x = 1 } END { exit x }' || continue
  [ "$k" != disk ] || { stat -c "key %a %U $f" -- "$f"; continue; }
  head -c 2000 -- "$f" | awk '1 < NF || 200 < length || 3 < NR || /^\// { x = 1 } 3 < length { n++ } END { exit x || !n }' && stat -c "password %a %U $f" -- "$f"
done
printf '%s\n' "$L" | grep -v '^ref ' | while read -r k f; do
  case $f in /etc/*[!A-Za-z0-9./_-]*|'') ;; /etc/*) ! public "$f" || continue ;; esac
  case $f in systemctl:*) printf '%s 0 - %s\n' "$k" "$f"; continue ;; esac
  [ -z "$k" ] || printf '%s %s %s\n' "$k" "$(stat -c '%a %U' -- "$f" 2>/dev/null || echo '0 -')" "$f"
done
echo end
"""
_KINDS = ("key ", "password ", "hash ")


@dataclass(frozen=True, slots=True)
class OpenFile:
    """One such file."""

    kind: str
    """What is in it: `key`, `password` or `hash`; `name` in answers of before, which told files that are named like secrets."""
    mode: str
    owner: str
    path: str


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, and where nobody looked."""

    files: tuple[OpenFile, ...]
    unseen: tuple[str, ...]
    """Mount points that were left out, each once, however many file systems lie on one another there."""


def parse(output: Output) -> Search:
    """Read mode, owner and path of each file; one that two mounts show is one."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the search for readable secrets is cut short"))
    found: dict[str, OpenFile] = {}
    unseen = []
    for line in lines[:-1]:
        if line.startswith("unseen - "):
            unseen.append(line.removeprefix("unseen - "))
            continue
        words = line.split(" ", 3) if line.startswith(_KINDS) else ["name", *line.split(" ", 2)]
        if len(words) != 4 or not words[1].isdigit():
            raise Unparseable(msg("find printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        found[words[3]] = OpenFile(*words)
    return Search(tuple(found.values()), tuple(dict.fromkeys(unseen)))


PROBE = Probe(
    "secrets.readable",
    (
        "sh",
        "-c",
        re.sub("(?m)^ +", "", _SCRIPT).replace(
            "AWK", shlex.quote(re.sub("(?m)^ +|  # .*$", "", _AWK.strip()).replace("'", r"\047")), 1
        ),
    ),
    parse,
    needs_root=True,
    timeout_seconds=120,
    repeated_for=WEEK,
)
