"""A cleaner that deletes what a policy does not keep takes nothing that it keeps."""
