"""The built-in issuer: access tokens for clients that prove who they are, and what other services ask about credentials."""
