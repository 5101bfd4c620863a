"""The whole registry as NDJSON: the start of every copy that then follows the feed."""
