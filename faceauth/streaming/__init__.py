"""A session over the stream: what was told, what came, and when the next step may be told. No sockets here."""
