"""Alembic's entry: it runs inside the transaction that `faceauth.db.upgrade` opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema=context.config.attributes["schema"],
    transactional_ddl=True,  # SQLite's too, since the engine says BEGIN itself
)
context.run_migrations()
