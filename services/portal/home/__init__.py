"""The first page, the page about CLEIO, the components of the design system, and the files of all pages."""
