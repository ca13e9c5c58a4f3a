"""Kinds of things that can be wrong, one file each, registered by a constant `CAUSE`.

The file's name is the first part of its alarms' keys: `medium.py` makes `medium:disk-b`.
"""
