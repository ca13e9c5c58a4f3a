"""Let the jobs run by themselves: install, look at and remove what starts them, or stay and start them.

What is due is read from the ledger by `portalops run --due`; systemd timers, cron and the watcher only knock.
"""
