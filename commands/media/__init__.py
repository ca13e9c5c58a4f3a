"""Keep the register of backup media: what there is, where it lies, who keeps it, and whether it can still be read.

A medium is what can be lost or broken by itself: a disk, a bucket, a box of discs, a tape.
"""
