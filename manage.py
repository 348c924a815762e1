#!/usr/bin/env python3
"""Django's command line for this project; `bin/manage` runs it inside the environment."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.umask(0o077)  # what is made here, the database above all, is its owner's alone
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        import config.settings  # noqa: F401 (a broken setting or code list is told in one sentence)
        import helpline.taxonomy  # noqa: F401
    except (ValueError, ImproperlyConfigured) as broken:
        sys.exit(str(broken))
    execute_from_command_line(sys.argv)
