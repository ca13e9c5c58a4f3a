"""Alarms by cause: what is wrong, one alarm for each thing, and what changes when a run looks again. Pure.

`causes/` has one file for each kind of thing; `life.py` opens and closes alarms.
"""
