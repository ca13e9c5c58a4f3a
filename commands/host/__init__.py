"""Keep the servers: where each stands, how it is reached, by which key it is known, and what may run there as root."""
