"""The network's clinical investigation centres."""
