"""What every stage shares: settings, errors, run directories, progress and the retry policy."""
