"""The ``recsys`` command: the only place that prints, exits and builds clients."""
