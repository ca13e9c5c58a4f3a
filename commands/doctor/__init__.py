"""Find what would stop portalops here, and name the cure.

It reads and changes nothing; with `--deep` it connects, and removes again what it wrote to try it.
"""
