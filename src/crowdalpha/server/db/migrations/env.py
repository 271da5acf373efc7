"""What Alembic runs: the migrations, on the connection that `migrate` opened and will commit."""

from alembic import context

from crowdalpha.server.db.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
