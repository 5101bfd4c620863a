"""The portal: pages for people over the public API. It keeps sessions only, and nothing of a patient."""
