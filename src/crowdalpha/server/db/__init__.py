"""The database: embedded cluster, engine, tables and migrations."""
