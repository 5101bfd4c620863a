"""The organisations that take part: hospitals, centres, sponsors, networks, associations, authorities and the coordination."""
