"""Where items are seen, one file each. A module of this folder is a kind that `[[updates.source]]` may name.

A kind has `build(id, table, *, zone, web)`, which checks its settings and returns a `portalops.ports.UpdateSource`. Web
servers are asked through `web` alone.
"""
