"""Test the notification channels, list the letters that were sent, and send those that wait.

What is sent without being asked for, and when: docs/notifications.md.
"""
