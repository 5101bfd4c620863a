"""Who is told what: the subscriptions of an organisation."""
