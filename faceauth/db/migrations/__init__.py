"""Migrations: `versions/data` for the data database, `versions/keys` for the key database."""
