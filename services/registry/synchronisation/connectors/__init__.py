"""How each registry is asked for its records: one protocol, a connector for each kind of source."""
