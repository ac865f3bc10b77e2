"""The command line as a file for ``spark-submit``, and as ``python -m recsys.cli.submit``."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    if Path(sys.path[0]) == Path(__file__).parent:
        del sys.path[0]  # a script's own folder: its modules would stand before those of other packages
    from recsys.cli.main import main

    main()
