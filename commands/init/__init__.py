"""Write a working configuration and the keys that it needs.

Asks little, overwrites nothing: with a configuration already there, only the keys that it names and
that are missing are made.
"""
