"""Keep pytest from collecting the package a second time through the top-level symlinks."""

collect_ignore = ["executors", "optimizers"]
