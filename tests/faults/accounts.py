"""Makes the tables and the accounts that the clients log in to; run in the environment of the programs."""

import base64
import sys

import django

PASSWORD = "kanariefågel i gruvan"
SECRET = base64.b32encode(b"twelve bytes and eight").decode()


def name(number: int) -> str:
    return f"kanarie{number}"


def main() -> None:
    django.setup()

    from allauth.mfa.totp.internal.auth import TOTP
    from django.core.management import call_command

    from helpline.models import User

    call_command("migrate", verbosity=0, interactive=False)

    for number in range(int(sys.argv[1])):
        TOTP.activate(User.objects.create_user(name(number), PASSWORD, role="handler"), SECRET)


if __name__ == "__main__":
    main()
