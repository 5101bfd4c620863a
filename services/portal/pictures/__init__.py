"""Geometry of the pictures that pages draw as SVG. Pure."""
