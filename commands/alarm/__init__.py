"""See what is wrong now, one alarm for each thing, and answer for it: who looks after it until when, and what is planned.

A run opens and closes alarms by what it judged. An answer ends reminders, never an alarm: that closes when its thing is right.
"""
