"""Pictures of the pages: geometry computed here, drawn as SVG by the templates. Pure."""
