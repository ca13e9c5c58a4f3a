"""Where items are seen, one file each. A module of this folder is a kind that `[[updates.source]]` may name.

A kind has `build(id, table, *, zone)`, which checks its settings and returns a `portalops.ports.UpdateSource`.
"""
