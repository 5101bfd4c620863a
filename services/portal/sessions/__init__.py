"""Sessions of signed-in visitors. The browser holds a random id; the tokens stay on the server, encrypted."""
