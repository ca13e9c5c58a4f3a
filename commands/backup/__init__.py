"""Back up, list, verify and restore (Article 10).

A set is encrypted for its recipients alone: this machine can make and verify sets, and open none of them.
"""
