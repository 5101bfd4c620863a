"""Messages by e-mail: what is due for a subscription, in one message."""
