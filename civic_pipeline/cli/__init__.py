"""The command line interface `civic`.

Exit codes: 0 done · 1 failed · 2 wrong input · 3 released, but something is held back · 4 another run is writing · 141 whoever
read the output closed it (SIGPIPE).
"""

from civic_pipeline.cli.main import main

__all__ = ["main"]
