"""A small disk (a layer on 4 MiB of memory), and software RAID as far as a host without disks of its own has it."""

from tests.checks.servers.matrix import Fault

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
