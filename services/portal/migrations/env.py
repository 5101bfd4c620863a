"""Run the portal's migrations on the connection that the framework opened."""

from alembic import context

from shared.persistence.migrations import run_in_environment

run_in_environment(context)
