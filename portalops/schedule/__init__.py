"""The schedule: what starts `portalops run --due`, as systemd units or a cron file; what is installed, compared with it.

What is due is decided by `portalops.jobs` from the ledger alone; nothing here decides it.
"""
