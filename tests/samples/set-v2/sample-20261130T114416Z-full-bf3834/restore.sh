#!/bin/sh
# Restores backup set sample-20261130T114416Z-full-bf3834 with stock programs alone. It is made for sh, not for bash: sh restore.sh --help
set -eu
unset CDPATH TAR_OPTIONS GREP_OPTIONS POSIXLY_CORRECT || :
case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in vi*) VI=yes ;; *) VI="" ;; esac
export LC_ALL=C
say() { if [ -n "$VI" ]; then printf '%s\n' "$2"; else printf '%s\n' "$1"; fi; }
help() {
  cat <<'END'
Restore backup set sample-20261130T114416Z-full-bf3834

    KEY=FILE TO=FOLDER [BASE=FOLDER] sh restore.sh [--salvage] [--databases]

KEY        private key of one of: age1emq22ldd2nu25m24ssv63j5s7pqsfmnzlv6ewnnp8akhkzy3e9ts9xgq4z age1dagg0v46lx304hskdhu43ksj0mcs4mwm3xa2w6jcmgy88h8mrglsvctf3x
TO         where to; a new or empty folder
ALLOWED    file allowed_signers: check the signature first; not one that lies beside the set
--salvage  leave out damaged packs, restore what is whole, list what is missing; exit code 3 if there is any
--databases  also load dumps into new databases, by PGHOST, PGUSER, ~/.my.cnf; names that exist are refused
PREFIX, SUFFIX  around the names of those databases; _restored behind them if not given
Exit codes: 0 everything was restored, 1 stopped at an error, 2 wrong use, 3 something is missing. Paths may be relative.

Khôi phục bộ sao lưu sample-20261130T114416Z-full-bf3834

    KEY=FILE TO=FOLDER [BASE=FOLDER] sh restore.sh [--salvage] [--databases]

KEY        tệp khóa bí mật ứng với một trong các khóa: age1emq22ldd2nu25m24ssv63j5s7pqsfmnzlv6ewnnp8akhkzy3e9ts9xgq4z age1dagg0v46lx304hskdhu43ksj0mcs4mwm3xa2w6jcmgy88h8mrglsvctf3x
TO         nơi khôi phục; thư mục mới hoặc trống
ALLOWED    tệp allowed_signers: kiểm tra chữ ký trước; không dùng tệp nằm cạnh bộ sao lưu
--salvage  bỏ qua các gói bị hỏng, khôi phục phần nguyên vẹn, liệt kê phần bị thiếu; mã thoát 3 nếu có thiếu
--databases  nạp cả các bản kết xuất vào cơ sở dữ liệu mới, theo PGHOST, PGUSER, ~/.my.cnf; từ chối tên đã tồn tại
PREFIX, SUFFIX  phần thêm trước và sau tên các cơ sở dữ liệu đó; nếu không khai báo thì thêm _restored vào sau
Mã thoát: 0 đã khôi phục tất cả, 1 dừng vì lỗi, 2 dùng sai, 3 có phần bị thiếu. Đường dẫn có thể là tương đối.

END
}
SALVAGE="" DATABASES="" DAMAGED="" DONE="" WORK="" AT=""
for option; do
  case "$option" in
    --salvage) SALVAGE=yes ;;
    --databases) DATABASES=yes ;;
    -h | --help) help; exit 0 ;;
    *) say 'error: '"$option"': no such option; see restore.sh --help' 'lỗi: '"$option"': không có tùy chọn này; xem restore.sh --help' >&2; exit 2 ;;
  esac
done
if [ -z "${KEY-}" ] || [ -z "${TO-}" ]; then
  say 'error: KEY or TO is not set; see restore.sh --help' 'lỗi: chưa khai báo KEY hoặc TO; xem restore.sh --help' >&2
  exit 2
fi
PROGRAMS="age zstd tar sha256sum awk cat cut dirname grep head id ls mkdir mkfifo mktemp mv readlink rm sed sh tail tee tr xargs"
[ -z "$DATABASES" ] || PROGRAMS="$PROGRAMS sqlite3"
for program in $PROGRAMS; do
  command -v "$program" > /dev/null 2>&1 || {
    say 'error: the program '"$program"' is missing; install it and start again' 'lỗi: thiếu chương trình '"$program"'; hãy cài đặt rồi chạy lại' >&2
    exit 1
  }
done
SET="$(cd -- "$(dirname -- "$0")" && pwd -P)"
leave() {
  [ -z "$WORK" ] || rm -rf "$WORK"
  [ -z "$DONE" ] || return 0
  say 'error: stopped at this step, and nothing after it was done: '"$AT" 'lỗi: đã dừng ở bước này, các bước sau chưa được thực hiện: '"$AT" >&2
  exit 1
}
trap leave EXIT
trap 'exit 1' HUP INT TERM
step() { AT="$(say "$@")"; say "$@"; }

step 'Checking KEY, TO and BASE' 'Kiểm tra KEY, TO và BASE'
umask 077
stop() { echo "error: $*" >&2; return 1; }
absolute() { case "$1" in /*) printf '%s\n' "$1" ;; *) printf '%s/%s\n' "$PWD" "$1" ;; esac; }
KEY="$(absolute "$KEY")"
TO="$(absolute "$TO")"
BASE="${BASE:+$(absolute "$BASE")}"
ALLOWED="${ALLOWED:+$(absolute "$ALLOWED")}"
for set in "$SET" ${BASE:+"$BASE"}; do
  case "$(readlink -m -- "$TO")/" in "$(readlink -m -- "$set")"/*) stop "$TO: it lies in the folder of a set" ;; esac
done
PREFIX="${PREFIX-}"
SUFFIX="${SUFFIX-_restored}"
case "$PREFIX$SUFFIX" in -* | *[!A-Za-z0-9_-]*) stop "$PREFIX, $SUFFIX: only letters, digits, _ and - may be in them" ;; esac
[ -f "$KEY" ] && [ -r "$KEY" ] || stop "$KEY: the key cannot be read"
mkdir -p "$TO"
[ -z "$(ls -A "$TO" | grep -v -x RESTORE-UNFINISHED.txt)" ] || stop "$TO: the folder is not empty"
WORK="$(mktemp -d)"
WORK="$(absolute "$WORK")"
: > "$WORK/missing"
say 'This restore has not finished: what is here is incomplete.' 'Việc khôi phục này chưa hoàn thành: dữ liệu ở đây chưa đầy đủ.' > "$TO/RESTORE-UNFINISHED.txt"
damaged() {
  [ -s "$WORK/checked" ] || echo "tagmanifest-sha256.txt: FAILED" > "$WORK/checked"
  sed "s|^|$1|" "$WORK/checked" | tee -a "$WORK/failed"
  [ -n "$SALVAGE" ] || { say 'The set is damaged. Use another copy of it, or --salvage to restore what is whole.' 'Bộ sao lưu bị hỏng. Hãy dùng bản sao khác, hoặc --salvage để khôi phục phần còn nguyên vẹn.' >&2; exit 1; }
  DAMAGED=yes
}
: > "$WORK/failed"

# packs FOLDER STEM FIRST LAST: prints packs of a stream, decrypted
packs() {
  number="$3"
  while [ "$number" -le "$4" ]; do
    age --decrypt --identity "$KEY" "$(printf '%s/%s.%04d.age' "$1" "$2" "$number")" || return 1
    number=$((number + 1))
  done
}
# last_pack FOLDER STEM: prints the number of the last pack of a stream
last_pack() { grep -c "  $2\.[0-9]*\.age\$" "$1/manifest-sha256.txt" || stop "$1/$2: not in the manifest"; }
# ended NAME...: fails if a part of the last pipe did not end well
ended() { for part; do [ -e "$WORK/ended-$part" ] || stop "$stem: $part failed" || return 1; done; }
# stream FOLDER STEM SHA256 PROGRAM...: gives a stream to a program
stream() {
  folder="$1" stem="$2" digest="$3"
  shift 3
  last="$(last_pack "$folder" "$stem")" || return 1
  rm -f "$WORK"/ended-* "$WORK/bytes"
  mkfifo "$WORK/bytes" || return 1
  sha256sum < "$WORK/bytes" > "$WORK/digest" &
  summing=$!
  { packs "$folder" "$stem" 1 "$last" && : > "$WORK/ended-age"; } |
    { zstd --decompress --stdout --quiet && : > "$WORK/ended-zstd"; } |
    { tee "$WORK/bytes" && : > "$WORK/ended-tee"; } |
    { "$@" && : > "$WORK/ended-$1"; } || :
  wait "$summing" || return 1
  ended age zstd tee "$1" || return 1
  [ "$digest" = - ] || [ "$(cat "$WORK/digest")" = "$digest  -" ] || stop "$stem: not the bytes that were backed up"
}
# unpack FOLDER: unpacks a tar; without root it makes no devices, and lists them
unpack() {
  if LC_ALL=C tar --extract --preserve-permissions --numeric-owner --xattrs --xattrs-include='*' \
    --directory "$1" 2> "$WORK/tar"; then cat "$WORK/tar" >&2; return 0; fi
  cat "$WORK/tar" >&2
  ! LC_ALL=C grep -v -e ': Cannot mknod: Operation not permitted$' -e "^tar: .*: Cannot hard link to ${LINKS-none}" \
    -e ': Exiting with failure status due to previous errors$' -e ': time stamp ' -e ': Warning: ' \
    -e '^tar: Ignoring unknown extended header keyword ' \
    -e "^tar: .*: Cannot set .[a-z]*\.[^ ]*. extended attribute for file .*: Operation not permitted\$" \
    "$WORK/tar" > /dev/null || return 1
  LC_ALL=C grep -e ': Cannot ' "$WORK/tar" > "$WORK/cannot" || return 1
  LC_ALL=C grep -v -e "^tar: .*: Cannot hard link to ${LISTED-none}" "$WORK/cannot" >> "$WORK/missing" || :
}

# index_of FOLDER STEM: prints the index of a stream
index_of() {
  rm -f "$WORK"/ended-*
  { age --decrypt --identity "$KEY" "$1/$2.index.age" && : > "$WORK/ended-age"; } |
    { zstd --decompress --stdout --quiet && : > "$WORK/ended-zstd"; } || :
  ended age zstd
}
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
  ' "$WORK/names" > "$WORK/older" || return 1
  (cd "$1" && xargs sh -c '
    for path; do
      above="$path" is_here=yes
      while [ "$above" != "${above%/*}" ]; do above="${above%/*}"; [ ! -L "$above" ] || is_here=; done
      [ -z "$is_here" ] || { [ -d "$path" ] && [ ! -L "$path" ]; } || rm -f -- "$path" || exit 255
    done' sh < "$WORK/older")
}
# is_whole FOLDER PATTERN: whether files of a set have their digests
is_whole() { (cd "$1" && grep "  $2\$" manifest-sha256.txt | sha256sum --check --status --strict 2> /dev/null); }
# salvage FOLDER STEM PLACE: unpacks what lies in whole packs, and lists what is missing
salvage() {
  folder="$1" stem="$2" place="$3"
  last="$(last_pack "$folder" "$stem")" || return 1
  size="$(sed -n "\\|\"path\": \"$stem\.0001\.age\"|{n;s/[^0-9]//g;p;q;}" "$folder/set.json")"
  : > "$WORK/damaged"
  number=1
  while [ "$number" -le "$last" ]; do
    is_whole "$folder" "$(printf '%s\.%04d\.age' "$stem" "$number")" || echo "$number" >> "$WORK/damaged"
    number=$((number + 1))
  done
  index_of "$folder" "$stem" > "$WORK/index" || {
    echo "$stem: its index is damaged too; older versions may stand in place of newer ones" >> "$WORK/missing"
    return 0
  }
  LC_ALL=C awk -v size="$size" -v last="$last" -v damaged="$WORK/damaged" -v runs="$WORK/runs" '
    BEGIN {
      printf "" > runs
      while ((getline number < damaged) > 0) lost[number + 0] = 1
      for (n = 1; n <= last; n++) if (!(n in lost)) {
        if (n == 1 || (n - 1) in lost) { run++; first[run] = n; begins[run] = (n - 1) * size }
        final[run] = n; ends[run] = n * size
      }
      at = 1
    }
    function offset(line) { sub(/^.*"offset":/, "", line); sub(/[}].*$/, "", line); return line + 0 }
    FNR == 1 && NR > 1 { at = 1 }
    {
      here = offset($0)
      while (at < run && here >= begins[at + 1]) at++
      is_open = run && final[at] == last
    }
    NR == FNR {
      if (run && here >= begins[at] && (is_open || here <= ends[at])) {
        if (!(at in from)) from[at] = here
        to[at] = here
      }
      next
    }
    { link = "" }
    /^[{]"type":"hardlink"/ {
      link = $0; sub(/^.*,"link":"/, "", link); sub(/","pack":[0-9]*,"offset":.*$/, "", link)
    }
    link in left_out || !(run && at in from && here >= from[at] && (is_open || here < to[at])) {
      sub(/^[{]"type":"[a-z-]*","path":"/, ""); sub(/","size":[0-9]*,"mode":.*$/, "")
      left_out[$0] = 1; print
    }
    END {
      for (r = 1; r <= run; r++) if (r in from && (final[r] == last || to[r] > from[r]))
        printf "%d %d %.0f %.0f\n", first[r], final[r], from[r] - begins[r] + 1, (final[r] == last ? -1 : to[r] - from[r]) > runs
    }
  ' "$WORK/index" "$WORK/index" > "$WORK/lost" || return 1
  mkdir -p "$place" || return 1
  if [ "$folder" = "$SET" ]; then
    readable < "$WORK/lost" > "$WORK/names" && without_older "$place" || return 1
  else
    standing "$stem" || return 1
    LISTED=
  fi
  cat "$WORK/names" >> "$WORK/missing"
  LINKS=
  while read -r first final skip length; do
    rm -f "$WORK"/ended-*
    { packs "$folder" "$stem" "$first" "$final" && : > "$WORK/ended-age"; } |
      { zstd --decompress --stdout --quiet && : > "$WORK/ended-zstd"; } |
      { tail -c "+$skip" && : > "$WORK/ended-tail"; } |
      { if [ "$length" -ge 0 ]; then head -c "$length" && cat > /dev/null; else cat; fi && : > "$WORK/ended-head"; } |
      { unpack "$place" && : > "$WORK/ended-unpack"; } || :
    ended age zstd tail head unpack || return 1
  done < "$WORK/runs"
  unset LISTED
}

step 'Checking every byte of the set' 'Kiểm tra từng byte của bộ sao lưu'
cd "$SET"
if [ -n "$SALVAGE" ]; then
  for needed in manifest-sha256.txt set.json; do
    grep "  $needed\$" tagmanifest-sha256.txt | sha256sum --check --status --strict || stop "$needed: damaged"
  done
fi
sha256sum --check --quiet --strict tagmanifest-sha256.txt > "$WORK/checked" || damaged ""
sha256sum --check --quiet --strict manifest-sha256.txt > "$WORK/checked" || damaged ""
if [ -n "$ALLOWED" ]; then
  step 'Checking the signature' 'Kiểm tra chữ ký'
  ALLOWED="${ALLOWED:-/media/key/allowed_signers}"
  WHO="$(ssh-keygen -Y find-principals -s set.json.sig -f "$ALLOWED" -O verify-time=20261130114416Z | head -n 1)"
  ssh-keygen -Y verify -f "$ALLOWED" -I "$WHO" -n portalops-set -O verify-time=20261130114416Z -s set.json.sig < set.json
  for file in $(cut -c67- tagmanifest-sha256.txt | grep -v '^set.json'); do
    grep -q "$(sha256sum < "$file" | cut -c1-64)" set.json || { UNSIGNED=yes; echo "$file: not signed"; }
  done
  [ -z "${UNSIGNED-}" ]
fi

step 'Restoring web/files' 'Khôi phục web/files'
if [ -z "$SALVAGE" ] || is_whole "$SET" "data/content/web/files\.[0-9]*\.age"; then
  mkdir -p "$TO/web"
  stream "$SET" data/content/web/files - unpack "$TO/web"
else
  salvage "$SET" data/content/web/files "$TO/web"
fi

step 'Restoring portal-db/database' 'Khôi phục portal-db/database'
if [ -z "$SALVAGE" ] || is_whole "$SET" "data/content/portal-db/database\.[0-9]*\.age"; then
  mkdir -p "$TO/portal-db"
  stream "$SET" data/content/portal-db/database 9b505773c370d3b01ec9533c2a62cd475607f8672ae98122cd1bd7adf78d29c2 cat > "$TO/portal-db/database.sqlite"
else
  echo 'portal-db/database' >> "$WORK/missing"
fi

step 'Restoring greeting/output' 'Khôi phục greeting/output'
if [ -z "$SALVAGE" ] || is_whole "$SET" "data/related/greeting/output\.[0-9]*\.age"; then
  mkdir -p "$TO/greeting"
  stream "$SET" data/related/greeting/output 4538eaad43613ac3bb5456efe4bc47d013a4b6b778dadc1fabef3dd9086d2edd cat > "$TO/greeting/output.raw"
else
  echo 'greeting/output' >> "$WORK/missing"
fi

if [ -n "$DATABASES" ]; then
  step 'Loading portal-db/database' 'Nạp portal-db/database'
  if [ -z "$SALVAGE" ] || is_whole "$SET" "data/content/portal-db/database\.[0-9]*\.age"; then
    FOUND="$(sqlite3 "$TO/portal-db/database.sqlite" 'PRAGMA integrity_check;')"
    [ "$FOUND" = ok ] || stop "portal-db/database.sqlite: $FOUND"
  fi
fi

step 'What is left to do' 'Những việc còn lại'
say 'Below '"$TO"' these folders have the paths as they were below /. To put them back: make the accounts with the same numbers, restore as root so that owners are kept, stop the portal, compare, then copy. What exists stays as it is:' 'Trong '"$TO"', các thư mục dưới đây có các đường dẫn như trước đây tính từ /. Để đưa về chỗ cũ: tạo các tài khoản có cùng số, khôi phục với quyền root để giữ chủ sở hữu, dừng cổng, so sánh, rồi sao chép. Những gì đã có được giữ nguyên:'
QUOTED="'$(printf '%s\n' "$TO" | sed "s/'/'\\\\''/g")'"
printf '%s\n' '  (cd '"$QUOTED"'/web && tar --create --xattrs --numeric-owner .) | tar --extract --preserve-permissions --numeric-owner --xattrs --xattrs-include='"'"'*'"'"' --skip-old-files --directory /'
[ "$(id -u)" -eq 0 ] || say 'You are not root: the files belong to you, not to their owners.' 'Không chạy với quyền root: các tệp thuộc về người chạy lệnh, không thuộc về chủ sở hữu cũ.'
[ -n "$DATABASES" ] || say 'No database was loaded. Start again with --databases and another TO, or follow RESTORE.en.md, section 3.' 'Chưa nạp cơ sở dữ liệu nào. Hãy chạy lại với --databases và một TO khác, hoặc làm theo phần 3 của RESTORE.vi.md.'
DONE=yes
if [ -n "$DAMAGED" ]; then
  say 'Damaged, and to be replaced from another copy:' 'Các tệp bị hỏng, cần thay bằng bản sao khác:' >&2
  cat "$WORK/failed" >&2
fi
if [ -s "$WORK/missing" ]; then
  cat "$WORK/missing" > "$TO/RESTORE-UNFINISHED.txt"
  say 'Not everything could be restored. Missing, see '"$TO"/RESTORE-UNFINISHED.txt: 'Không khôi phục được tất cả. Những mục bị thiếu, xem '"$TO"/RESTORE-UNFINISHED.txt: >&2
  head -n 20 "$WORK/missing" >&2
  exit 3
fi
rm "$TO/RESTORE-UNFINISHED.txt"
say 'Everything was restored: '"$TO" 'Đã khôi phục tất cả: '"$TO"
