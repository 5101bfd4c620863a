"""The schema of the portal's database: sessions, and nothing else."""

from sqlalchemy import MetaData

from shared.persistence import NAMING

METADATA = MetaData(naming_convention=NAMING)
