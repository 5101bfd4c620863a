"""The parts that the answers of a match and of a dry run have in common."""
