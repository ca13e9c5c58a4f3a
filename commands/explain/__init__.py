"""Explain an error code, a check, an exit code, a verdict or a duty.

`portalops explain` lists what there is to explain.
"""
