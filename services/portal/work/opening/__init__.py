"""The opening of a site: what is left to do, whose task it is, and the green light."""
