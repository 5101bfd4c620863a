"""Sign in and out: with the OpenID provider of the installation, or as a demonstration user."""
