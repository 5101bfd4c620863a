"""The built-in token issuer: signing keys, client assertions, access tokens and introspection."""
