"""What the provider says of whoever logged in: what the tests wrote into a file, over what it would say by itself."""

import base64
import json

from django.conf import settings
from oauth2_provider.oauth2_validators import OAuth2Validator


def told() -> dict:
    return json.loads((settings.FOLDER / "told.json").read_text(encoding="utf-8"))


def with_changes(claims: dict, changes: dict) -> dict:
    """A claim that is told to be null is left out."""
    return {name: value for name, value in (claims | changes).items() if value is not None}


def recoded(part: str, changes: dict) -> str:
    claims = json.loads(base64.urlsafe_b64decode(part + "==")) | changes
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


class Told(OAuth2Validator):
    def finalize_id_token(self, id_token, token, token_handler, request):
        """Sign what is told, and forge it afterwards where that is told too."""
        if told()["id_token"].get("nonce", "") is None:
            request.nonce = None
            id_token.pop("nonce")
        head, claims, signature = super().finalize_id_token(id_token, token, token_handler, request).split(".")
        forged = told()["forged"]
        if "head" in forged:
            head = recoded(head, forged["head"])
        if "claims" in forged:
            claims = recoded(claims, forged["claims"])
        return f"{head}.{claims}.{signature}"

    def get_id_token_dictionary(self, token, token_handler, request):
        claims, expires = super().get_id_token_dictionary(token, token_handler, request)
        return with_changes(claims, told()["id_token"]), expires

    def get_userinfo_claims(self, request):
        return with_changes(super().get_userinfo_claims(request), told()["userinfo"])
