"""`python -m civic_pipeline.cli`."""

from civic_pipeline.cli.main import main

main()
