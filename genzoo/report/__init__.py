"""What a run has left behind as one page of HTML, which opens without a network."""
