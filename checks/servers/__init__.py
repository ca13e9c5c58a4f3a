"""Server checks (Article 12): what is gathered from a host, how it is judged, and on which bytes that rests.

One trip brings the output of every probe (`script`, `gather`); pure parsers turn it into facts (`facts`); pure checks,
one file each in the family folders, judge the facts (`check`, `catalogue`, `judging`); `runner` does it for many hosts.
A check without its fact is unknown with a coded reason, never a pass.
"""
