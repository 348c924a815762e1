"""`database_roles [--new-passwords]`: make the roles of PostgreSQL, and let each do what its processes need."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.translation import gettext as _

from reports import roles
from reports.roles import CannotMakeRoles

NAMES = {roles.EVALUATOR: "PUBLISHED_DATABASE_URL"}


class Command(BaseCommand):
    help = "Make the database roles of web processes, workers and evaluators; run it after each migrate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new-passwords", action="store_true", help="give roles that exist a new password too")

    def handle(self, *args: Any, new_passwords: bool, **options: Any) -> None:
        try:
            passwords = roles.make(new_passwords=new_passwords)
        except CannotMakeRoles as refused:
            raise CommandError(self.explain(refused)) from None
        self.stdout.write(_("The roles are: %(names)s") % {"names": ", ".join(map(roles.role_name, roles.KINDS))})
        if passwords:
            self.stdout.write(_("Their addresses, shown this once:"))
        for kind, password in passwords.items():
            self.stdout.write(f"{kind}: {NAMES.get(kind, 'DATABASE_URL')}={self.address(kind, password)}")

    def address(self, kind: str, password: str) -> str:
        said = connection.settings_dict
        where = f"{said['HOST'] or 'localhost'}:{said['PORT'] or 5432}/{said['NAME']}"
        return f"postgres://{roles.role_name(kind)}:{password}@{where}"

    def explain(self, refused: CannotMakeRoles) -> str:
        return {
            CannotMakeRoles.NO_ROLES: _(
                "SQLite is one file and knows no roles: whoever can read the file can read all of it. Roles need"
                " PostgreSQL."
            ),
            CannotMakeRoles.NOT_ALLOWED: _(
                "The role of DATABASE_URL may not make roles: run this as the owner of the database, with CREATEROLE."
            ),
        }[refused.reason]
