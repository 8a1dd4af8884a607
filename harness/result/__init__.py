"""What a run concluded: its data, the rule of its verdict, and how it is kept."""
