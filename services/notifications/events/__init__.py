"""What happened: the inbox of feed events, and the sequencer that numbers them for each subscription."""
