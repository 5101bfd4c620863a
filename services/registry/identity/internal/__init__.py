"""Internal routes for the other services and for the first administrator. The gateway does not route them."""
