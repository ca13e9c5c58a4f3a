"""A small disk (a layer on 4 MiB of memory), and software RAID as far as a host without disks of its own has it."""

from tests.checks.servers.matrix import Fault, Seed

FAULTS = (
    Fault(
        "storage.space",
        "space-low",
        good=r"""
mountpoint -q /data || {
  mkdir -p /data /mnt/small /mnt/below
  mount -t tmpfs -o size=4m small /mnt/small; mkdir /mnt/small/upper /mnt/small/work
  mount -t overlay -o lowerdir=/mnt/below,upperdir=/mnt/small/upper,workdir=/mnt/small/work small /data
}
rm -f /data/filling
""",
        bad="head -c 3900k /dev/zero >/data/filling",
        gone="rm -f $(command -v df)",
        unknown="command-missing",
    ),
    Fault("storage.raid", "array-absent", declared={"raid": []}, declared_bad={"raid": ["md0"]}),
)

SEEDS = (
    Seed(
        "storage.space",
        "room for bytes, and none for files",
        make="mount -o remount,nr_inodes=20 /mnt/small; i=0; while touch /data/i$i 2>/dev/null; do i=$((i + 1)); done",
        undo="rm -f /data/i*; mount -o remount,nr_inodes=9000 /mnt/small",
        fails="inodes-low",
    ),
    Seed(
        "storage.space",
        "a disk that cannot be written any more",
        make="mount -o remount,bind,ro /data",
        undo="mount -o remount,bind,rw /data",
        fails="read-only",
        declared={"writable": ["/data"]},
    ),
    Seed(
        "storage.space",
        "a view of a disk that is to be read alone",
        make="mkdir /srv/view; mount --bind /data /srv/view; mount -o remount,bind,ro /srv/view",
        undo="umount /srv/view; rmdir /srv/view",
        declared={"writable": ["/data"]},
    ),
)
