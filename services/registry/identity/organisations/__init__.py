"""Organisations: hospitals, centres, sponsors, networks, associations, authorities and the coordination."""
