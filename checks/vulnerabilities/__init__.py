"""What is publicly known to be vulnerable, carried to where no network is: one signed bundle for each release of a system.

On a connected machine `build` reduces the makers' public records (`osv`, `tracker`, `lists`) to a bundle (`bundle`); on
the portal's machine it is verified and read, and `matching` says which rows hold for the packages of a host. Versions are
compared as dpkg and rpm compare them (`versions`). docs/vulnerability-bundle.md describes the file byte for byte.
"""
