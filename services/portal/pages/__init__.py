"""What all pages share: the visitor, the language of a path, rendering, forms and error pages."""
