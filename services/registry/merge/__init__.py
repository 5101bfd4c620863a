"""One trial from many hands: what each source record and each person says of it, merged by published rules. Pure."""
