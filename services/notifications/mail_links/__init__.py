"""The links in messages: they confirm or end an e-mail subscription, without a login."""
