"""See what is wrong now, one alarm for each thing, and answer for it: who is in charge until when, and what is planned.

A run opens and closes alarms by what it judged. An answer ends reminders, never an alarm: that closes when its thing is right.
"""
