"""Export of the whole registry as NDJSON, from which a copy starts before it follows the feed."""
