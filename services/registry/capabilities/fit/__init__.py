"""Product × site: what the product of a trial needs, and which centres are able to give it."""
