"""OpenID Connect: clients, what they ask for, what a login grants them, and accounts linked elsewhere."""
