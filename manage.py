#!/usr/bin/env python3
"""Django's command line for this project; `bin/manage` runs it inside the environment."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    try:
        import helpline.taxonomy  # noqa: F401 (a broken code list is told in one sentence, before anything starts)
    except ValueError as broken:
        sys.exit(str(broken))
    execute_from_command_line(sys.argv)
