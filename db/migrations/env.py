"""What Alembic runs: the migrations, on the connection and in the transaction that db/migrate.py opened.

A new migration is a file in `versions/`, written by hand after the newest one; tests/db/test_migrate.py says where
tables and models differ.
"""

from alembic import context

from db.tables.metadata import TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
context.run_migrations()
