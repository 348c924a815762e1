"""Owns what a password may not lean on: the user name and the words of this place (ASVS 5.0, 6.2.11)."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from helpline.models import User

LEAST = 15  # characters, of those that are not such a word (ASVS 5.0, 6.2.1)
WORDS = ("stödtelefonen", "stodtelefonen", "stödtelefon", "helpline", "samtalsstödjare", "avhoppare")


class EnoughOfItsOwn:
    """A password has LEAST characters besides the words that somebody who guesses would try first."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError."""
        left = password.casefold()
        for word in (user.username.casefold() if user else "", *WORDS):
            left = left.replace(word, "") if word else left
        if len(left) < LEAST <= len(password):  # a shorter one is refused as too short
            wording = gettext("Use at least %(least)d characters besides your user name and the words of this service.")
            raise ValidationError(wording % {"least": LEAST}, code="leans_on_a_name")

    def get_help_text(self) -> str:
        return ""
