"""Where trials stand, who is responsible for them, and what people do about both."""
