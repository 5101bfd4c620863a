"""Safety holds: stops of new requests, places and inclusions, imposed by one person and lifted by two."""
