"""The view from outside: what any stranger on the network sees of a host that is the portal's own.

`look` asks a host through `ports.Network`, bounded in time, size and rate, and adds what it saw to the host's answer as
sections that the probes `outside.*` parse. It asks declared hosts only, at the addresses declared for them, and logs in
nowhere. The modules beside it are pure: what is said, and what an answer means.
"""
