"""portalops: the duties of a public portal's managing unit, done, proven and reported.

The core package: nouns and pure rules, the doors to the world, the ledger, the reports.
It never imports `checks`, `backups` or `commands` (see ARCHITECTURE.md).
"""

__version__ = "0.1.0"
