"""The review queue of the coordination: claim an item, decide with a reason, undo."""
