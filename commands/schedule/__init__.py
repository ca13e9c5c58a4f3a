"""Let the jobs run by themselves: install, show and remove what starts them, or stay and start them.

What is due is read from the ledger by `portalops run --due`; systemd timers, cron and the watcher only knock.
"""
