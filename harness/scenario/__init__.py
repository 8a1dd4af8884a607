"""What a run is to build and to prove: a topology and its targets, nothing executable."""
