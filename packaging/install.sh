#!/bin/sh
# Installs portalops @VERSION@ from the folder that this lies in, without a network.
#
#     install.sh --allowed-signers FILE    check who made this, then install and switch to it
#     install.sh --rollback                switch back to the version that was in use before
#     install.sh --uninstall               remove the program; configuration and ledger stay
#
#     --python PATH    the Python to use; else the first of @PYTHONS@ that there is
#     --prefix DIR     where versions go (/opt/portalops)
#     --links DIR      where program, manual pages and completion are linked (/usr/local)
#
# A version is made whole in DIR/VERSION-BUILD-pyPYTHON before one rename of the link DIR/current switches to it. What a killed or failed
# installation leaves is not in use, and the next one removes it.
#
# EXIT STATUS: 0 done, 2 wrong usage, 4 failed and nothing is changed, 5 something is not what was signed, 75 another one is at work.
set -eu
umask 022
PATH=${PATH:-/usr/sbin:/usr/bin:/sbin:/bin}
LC_ALL=C
export PATH LC_ALL
unset CDPATH PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV

version='@VERSION@'
build='@BUILD@'
pythons='@PYTHONS@'
glibc='@GLIBC@'
kib_of() {
    case $1 in
@KIB_CASES@
    esac
}

prefix=/opt/portalops
links=/usr/local
python=
signers=
verb=install
making=

say() { printf 'portalops: %s\n' "$1" >&2; }
fail() { # CODE MESSAGE HINT
    printf 'error: %s\nhint: %s\n' "$2" "$3" >&2
    exit "$1"
}
usage() {
    printf 'error: %s\n' "$1" >&2
    sed -n '2,17s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
have() { command -v "$1" >/dev/null 2>&1; }

while [ $# -gt 0 ]; do
    case $1 in
    --rollback | --uninstall) [ "$verb" = install ] || usage "$1 and --$verb at once"; verb=${1#--} ;;
    --allowed-signers | --python | --prefix | --links)
        [ $# -gt 1 ] && [ -n "$2" ] || usage "$1 needs a value"
        case $1 in
        --allowed-signers) signers=$2 ;;
        --python) python=$2 ;;
        --prefix) prefix=${2%/} ;;
        --links) links=${2%/} ;;
        esac
        shift
        ;;
    -h | --help) sed -n '2,17s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) usage "there is no option $1" ;;
    esac
    shift
done
for each in "$prefix" "$links"; do
    case $each in
    /*[!A-Za-z0-9._/-]*) usage "only letters, digits and . _ - / may be in the path $each" ;;
    /?*) ;;
    *) usage "not an absolute path: $each" ;;
    esac
done
here=$(cd "$(dirname "$0")" && pwd -P)
case $signers in '' | /*) ;; *) signers=$(pwd)/$signers ;; esac

# --- what was handed over is what was signed ----------------------------------------------------

verify() {
    cd "$here"
    [ -f SHA256SUMS ] && [ -d wheels ] ||
        fail 2 "there is no wheelhouse in $here" "Unpack the tarball, and call the install.sh that lies in it."
    if [ -n "$signers" ]; then
        [ -r "$signers" ] || fail 2 "cannot read $signers" "Name the file of allowed signers that you were given on another way."
        have ssh-keygen || fail 4 "the signature cannot be checked: there is no ssh-keygen" "Install openssh-client."
        [ -f SHA256SUMS.sig ] || fail 5 "this wheelhouse is not signed" "Ask who built it for a signed one. Nothing was installed."
        signer=$(ssh-keygen -Y find-principals -s SHA256SUMS.sig -f "$signers" 2>/dev/null | sed 's/,.*//;q') || signer=
        [ -n "$signer" ] ||
            fail 5 "the signature is by a key that $signers does not name" "Ask who built it, on another way. Nothing was installed."
        said=$(ssh-keygen -Y verify -f "$signers" -I "$signer" -n '@NAMESPACE@' -s SHA256SUMS.sig <SHA256SUMS 2>&1) ||
            fail 5 "the signature does not hold: $said" "The list was changed after it was signed. Nothing was installed."
        say "signed by $signer"
    elif [ -f SHA256SUMS.sig ]; then
        say "who made this is NOT checked: name a file by --allowed-signers"
    else
        say "who made this is NOT known: it is not signed"
    fi
    odd=$(find . ! -type f ! -type d | head -n 1)
    [ -z "$odd" ] || fail 5 "$odd is no plain file" "Unpack the tarball anew. Nothing was installed."
    listed=$(sed 's/^[0-9a-f]\{64\}  //' SHA256SUMS | sort)
    there=$(find . -type f ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig | sed 's,^\./,,' | sort)
    [ "$listed" = "$there" ] ||
        fail 5 "the files are not those that SHA256SUMS lists" "Unpack the tarball anew. Nothing was installed."
    bad=$(sha256sum -c SHA256SUMS 2>/dev/null | sed -n '/: OK$/!p' | head -n 1) || bad=SHA256SUMS
    [ -z "$bad" ] || fail 5 "a file is not what it was: $bad" "Copy and unpack the tarball anew. Nothing was installed."
    say "$(wc -l <SHA256SUMS | tr -d ' ') files are as listed"
}

# --- the machine ----------------------------------------------------------------------------------

choose_python() {
    [ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] ||
        fail 4 "this wheelhouse is for Linux on x86_64; this is $(uname -s) on $(uname -m)" "Build one for this machine."
    found=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/.* //') || found=
    case $found in
    '') fail 4 "this system has no GNU C library" "Use a system that has: Debian, Ubuntu, RHEL or their like." ;;
    esac
    [ "$(printf '%s\n%s\n' "$glibc" "$found" | sort -V | head -n 1)" = "$glibc" ] ||
        fail 4 "the C library is $found; $glibc or newer is needed" "Use Debian 12 or newer, or a system of that age."
    tried=
    for each in ${python:-$(printf 'python%s ' $pythons)python3}; do
        minor=$("$each" -I -c 'import sys, venv; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || minor=
        [ -z "$minor" ] || tried="$tried $each is $minor;"
        case " $pythons " in
        *" ${minor:-none} "*)
            python=$("$each" -I -c 'import os, sys; print(os.path.realpath(sys.executable))')
            return
            ;;
        esac
    done
    fail 4 "none of the Pythons is here that this wheelhouse is for ($pythons);${tried:- there is no Python}" \
        "Install one of them, or build the wheelhouse for yours: make wheelhouse PYTHON_VERSIONS=..."
}

require_room() {
    place=$prefix
    while [ ! -d "$place" ]; do place=$(dirname "$place"); done
    [ -w "$place" ] || fail 4 "$place cannot be written" "Call it as root: sudo $0"
    free=$(df -Pk "$place" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$(kib_of "$minor")" ] ||
        fail 4 "$place has $free KiB free; $(kib_of "$minor") KiB are needed" "Make room, or choose another place by --prefix."
}

take_lock() {
    mkdir -p "$prefix"
    exec 9>"$prefix/.lock"
    flock -n 9 || fail 75 "another installation is at work in $prefix" "Wait until it has ended."
}

# --- links ------------------------------------------------------------------------------------------

ours() { # LINK: it leads to what we installed, or there is nothing
    case $(readlink "$1" 2>/dev/null) in
    "$prefix"/current/*) return 0 ;;
    *) [ ! -e "$1" ] && [ ! -L "$1" ] ;;
    esac
}
link() { # WHERE TARGET
    ours "$1" || { say "$1 is somebody else's and stays as it is"; return 0; }
    folder=$(dirname "$1")
    while [ ! -d "$folder" ]; do # what is made here, --uninstall removes
        printf '%s\n' "$folder" >>"$prefix/.made"
        folder=$(dirname "$folder")
    done
    mkdir -p "$(dirname "$1")"
    ln -s "$2" "$1.new.$$"
    mv -fT "$1.new.$$" "$1"
}
each_link() { # prints WHERE TARGET of each file that is linked
    printf '%s %s\n' "$links/bin/portalops" "$prefix/current/bin/portalops"
    cd "$prefix/current/share/portalops" 2>/dev/null || return 0
    find . -type f | sed 's,^\./,,' | sort | while read -r name; do
        printf '%s %s\n' "$links/share/$name" "$prefix/current/share/portalops/$name"
    done
}
link_all() {
    each_link | while read -r where target; do link "$where" "$target"; done
    unlink_gone
}
unlink_gone() { # links to files that the version in use has not
    find "$links/bin" "$links/share" -type l 2>/dev/null | while read -r where; do
        case $(readlink "$where") in
        "$prefix"/current/*) [ -e "$where" ] || rm -f "$where" ;;
        esac
    done
}

# --- versions -----------------------------------------------------------------------------------------

in_use() { readlink "$prefix/current" 2>/dev/null || true; }

starts() { # FOLDER
    said=$(env -i PATH="$PATH" HOME=/ "$1/bin/portalops" --version) && [ "${said#portalops }" != "$said" ]
}

is_whole() { [ -x "$1/bin/portalops" ] && [ ! -e "$1/.installing" ]; }

switch_to() { # NAME
    sync
    rm -f "$prefix/current.new"
    ln -s "$1" "$prefix/current.new"
    mv -fT "$prefix/current.new" "$prefix/current"
    link_all
}

clear_unfinished() {
    for each in "$prefix"/*/.installing; do
        [ -e "$each" ] || continue
        say "removing what an installation left that did not end: $(dirname "$each")"
        rm -rf "$(dirname "$each")"
    done
}

undo() {
    code=$?
    trap - EXIT
    [ -z "$making" ] || rm -rf "$making"
    [ -z "$making" ] || [ "$code" -eq 0 ] || say "nothing was installed; what was in use is in use"
    exit "$code"
}

install() {
    verify
    choose_python
    where=$links/bin/portalops
    ours "$where" || fail 4 "$where is there, and not of this installer" "Move it away, or choose another place by --links."
    name=$version-$build-py$minor
    target=$prefix/$name
    before=$(in_use)
    if [ -d "$prefix" ] && is_whole "$target"; then
        take_lock
        starts "$target" || fail 4 "$target does not start" "Move that folder away, and call this again."
        say "$name is installed already"
    else
        require_room
        take_lock
        clear_unfinished
        [ ! -e "$target" ] || fail 4 "$target is there, and is no whole installation" "Move it away and call this again."
        making=$target
        trap undo EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP
        mkdir "$target"
        : >"$target/.installing"
        say "installing $name with $python"
        "$python" -I -m venv --without-pip "$target" || fail 4 "no virtual environment can be made" "See the lines above."
        for pip in "$here"/wheels/pip-*.whl; do :; done
        env -i PATH="$PATH" HOME=/ PIP_CONFIG_FILE=/dev/null "$target/bin/python" "$pip/pip" --isolated install --quiet \
            --no-input --disable-pip-version-check --no-cache-dir --root-user-action=ignore --no-index --require-hashes \
            --only-binary=:all: --find-links "$here/wheels" --requirement "$here/requirements.txt" ||
            fail 4 "pip could not install from $here/wheels" "See the lines above."
        starts "$target" || fail 4 "what was installed does not start" "See the lines above."
        if [ -d "$here/share" ]; then
            mkdir -p "$target/share"
            cp -R "$here/share" "$target/share/portalops"
        fi
        mkdir "$target/house"
        for each in README install.sh build.json requirements.txt sbom.cdx.json audit.json SHA256SUMS SHA256SUMS.sig; do
            [ ! -f "$here/$each" ] || cp -p "$here/$each" "$target/house/$each"
        done
        sync
        rm "$target/.installing"
        making=
    fi
    if [ "$before" != "$name" ]; then
        printf '%s\n' "$before" >"$target/.before"
    fi
    switch_to "$name"
    [ "$before" != "$name" ] || before=
    say "$name is in use${before:+; before: $before}"
    case ":$PATH:" in
    *":$links/bin:"*) ;;
    *) say "call it by $links/bin/portalops: that folder is not in PATH" ;;
    esac
}

rollback() {
    name=$(in_use)
    [ -n "$name" ] || fail 4 "nothing is installed in $prefix" "Install a version first."
    take_lock
    back=$(cat "$prefix/$name/.before" 2>/dev/null) || back=
    [ -n "$back" ] || fail 4 "no version was in use before $name" "The versions that there are: ls $prefix"
    case $back in */*) fail 4 "$prefix/$name/.before names no version" "The versions that there are: ls $prefix" ;; esac
    is_whole "$prefix/$back" || fail 4 "$prefix/$back is not there any more" "Install it anew from its own wheelhouse."
    starts "$prefix/$back" || fail 4 "$back does not start" "See the lines above. Nothing was changed."
    switch_to "$back"
    say "$back is in use again; $name is kept, and its install.sh switches to it"
    say "the next run records it in the ledger"
}

uninstall() {
    [ -d "$prefix" ] || { say "nothing is installed in $prefix"; return 0; }
    for each in /etc/systemd/system/portalops*.timer /etc/cron.d/portalops*; do
        [ -e "$each" ] || continue
        fail 4 "$each still calls it" "First: portalops --config FILE schedule uninstall"
    done
    take_lock
    find "$links/bin" "$links/share" -type l 2>/dev/null | while read -r where; do
        case $(readlink "$where") in "$prefix"/current/*) rm -f "$where" ;; esac
    done
    if [ -f "$prefix/.made" ]; then
        sort -ru "$prefix/.made" | while read -r folder; do rmdir "$folder" 2>/dev/null || true; done
    fi
    rm -f "$prefix/current" "$prefix/current.new" "$prefix/.made"
    for each in "$prefix"/*; do
        [ -f "$each/pyvenv.cfg" ] || [ -e "$each/.installing" ] || continue
        rm -rf "$each"
    done
    rm -f "$prefix/.lock"
    rmdir "$prefix" 2>/dev/null || say "$prefix holds other files, and stays"
    say "removed; configuration and ledger are as they were, in the folders that the configuration names"
}

"$verb"
