"""Tells people that something failed, that a duty is not met, what a week was like, and that something is good again.

settings.py     whom to tell, and the last good copy of it for the day on which the configuration cannot be read
alarms.py       when something is told again, and when it counts as over; pure
rules.py        what is told now, from what was seen and what was told before; pure
letters.py      the letters' words; pure. Nothing secret can get into one: see there
state.py        what was told and what waits, in one file beside the ledger: a broken ledger must still be told
channels/       one file a way that letters go
"""
