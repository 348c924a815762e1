"""`python -m tests.bench.recount ADDRESS`: counts every month of a database anew, as a worker would."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ["DATABASE_URL"] = sys.argv[1]
    django.setup()
    from reports import rebuilding

    rebuilding.rebuild()
