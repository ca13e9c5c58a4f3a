"""Try the channels by which people are told, show what was told to whom, and send what waits.

What is told by itself, and when: docs/notifications.md.
"""
