"""Do what is due: back up, verify, check, collect, judge, report.

Cron, systemd timers and people all come through this one door. What is due is read from the ledger
alone, so any of them may miss a beat and nothing runs twice. Timers knock often and mostly for nothing, so that here
only what a knock needs is imported.
"""
