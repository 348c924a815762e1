"""The project's production settings; only the collected static files lie in the folder of the run."""

import os

from config.settings import *  # noqa: F403

STATIC_ROOT = os.environ["BENCH_STATIC_ROOT"]
