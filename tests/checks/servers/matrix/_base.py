"""What both hosts are before any fault: people with keys, a signed archive of packages, and an older journal."""

OLD_EXPORT = r"""
# the journal of the time before, as the host had kept it: a line a day, since one old line proves nothing
n=0
while [ $n -lt 117 ]; do
  cat <<END
__REALTIME_TIMESTAMP=$((OLD_SECONDS + n * 86400))000000
__MONOTONIC_TIMESTAMP=$((1 + n * 86400))000000
_BOOT_ID=0123456789abcdef0123456789abcdef
_MACHINE_ID=$(cat /etc/machine-id)
_HOSTNAME=$(hostname)
_UID=0
_TRANSPORT=stdout
PRIORITY=6
SYSLOG_IDENTIFIER=systemd
MESSAGE=Started the job of day $n.

END
  n=$((n + 1))
done >/root/old.export
"""
"""Writes that journal, for `OLD_JOURNAL`; OLD_SECONDS is when it begins."""
_PEOPLE_AND_ARCHIVE = r"""
set -e
export DEBIAN_FRONTEND=noninteractive
mkdir -p /var/log/journal /srv/archive /root/keys

# people: an and binh come in by keys, chi by nothing
for name in an binh chi; do
  useradd --create-home --shell /bin/bash $name
  echo "$name:Mat-khau-$name-2026" | chpasswd
  ssh-keygen -q -t ed25519 -N '' -C $name -f /root/keys/$name
  install -d -o $name -g $name -m 700 /home/$name/.ssh
done
for name in an binh; do
  install -o $name -g $name -m 600 /root/keys/$name.pub /home/$name/.ssh/authorized_keys
done
usermod -aG sudo an
rm -f /root/.ssh/authorized_keys

# an archive of all that is installed, and one with fixes
export GNUPGHOME=/root/gpg
install -d -m 700 $GNUPGHOME
gpg --batch --quiet --passphrase '' --quick-generate-key archive@example.vn rsa3072 sign never 2>/dev/null
gpg --batch --quiet --export archive@example.vn >/usr/share/keyrings/portal.gpg
deb() {  # FOLDER NAME VERSION
  rm -rf /srv/making && install -d /srv/making/DEBIAN "/srv/archive/$1"
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: An <an@example.vn>\nDescription: for a test\n' \
    "$2" "$3" >/srv/making/DEBIAN/control
  dpkg-deb -b /srv/making "/srv/archive/$1/$2_$3_all.deb" >/dev/null
}
suite() {  # FOLDER SUITE LABEL
  d=dists/$2/main/binary-$(dpkg --print-architecture)
  (cd "/srv/archive/$1"; mkdir -p $d; apt-ftparchive -q packages . >$d/Packages; [ ! -e installed ] || cat installed >>$d/Packages
   o=APT::FTPArchive::Release
   apt-ftparchive -q -o $o::Origin=Debian -o $o::Label="$3" -o $o::Suite="$2" -o $o::Codename="$2" -o $o::Components=main \
     -o $o::Architectures="$(dpkg --print-architecture)" -o $o::ValidTime=604800 release "dists/$2" >Release
   gpg --batch --quiet --clearsign -o "dists/$2/InRelease" Release; rm -f installed)
}
for name in portal-tool portal-lib portal-extra "linux-image-$(uname -r)" "linux-image-9$(uname -r)"; do deb debian "$name" 1; done
deb security portal-tool 2
deb security portal-lib 2
deb made portal-foreign 1
awk 'BEGIN { RS = ""; ORS = "\n\n"; FS = "\n" } /\nStatus: install ok installed/ {
  p = ""; skip = 0
  for (i = 1; i <= NF; i++) {
    if ($i ~ /^Conffiles:/) { skip = 1; continue }
    if (skip && $i ~ /^ /) continue
    skip = 0
    if ($i !~ /^Status:/) p = p $i "\n"
  }
  printf "%sFilename: none/%d.deb\nSize: 1\nSHA256: %064d\n\n", p, NR, 0 }' /var/lib/dpkg/status >/srv/archive/debian/installed
suite debian $CODENAME Debian
suite security $CODENAME-security Debian-Security
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
for each in "debian $CODENAME" "security $CODENAME-security"; do
  echo "deb [signed-by=/usr/share/keyrings/portal.gpg] file:/srv/archive/${each% *} ${each#* } main" >"/etc/apt/sources.list.d/${each%% *}.list"
done
apt-get -q -y update
faketime "$LONG_AGO" apt-get -q -y install portal-tool=1 portal-lib=1 "linux-image-$(uname -r)=1"
for each in portal-tool portal-lib "linux-image-$(uname -r)"; do faketime "$LONG_AGO" touch /var/lib/dpkg/info/$each.list; done

chmod 700 /root/keys
"""
BASE = OLD_EXPORT + _PEOPLE_AND_ARCHIVE
OLD_JOURNAL = r"""
id=$(cat /etc/machine-id)
install -d -g systemd-journal -m 2755 /var/log/journal/$id
rm -f /var/log/journal/$id/system@old*.journal
journalctl --flush
/lib/systemd/systemd-journal-remote -o /var/log/journal/$id/system@old-0000000000000001-0000000000000001.journal /root/old.export 2>/dev/null
chgrp systemd-journal /var/log/journal/$id/*.journal
chmod 640 /var/log/journal/$id/*.journal
"""
"""Puts it into the place where the host's own journal lies."""
LOGIN = "ssh -i /root/keys/{name} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes {name}@$ADDRESS true"
CODENAMES = {13: "trixie", 12: "bookworm", 11: "bullseye"}
SUPPORT = {13: "standard", 12: "lts", 11: "elts"}
"""What lets each release be supported on 2026-11-26."""
