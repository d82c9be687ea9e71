"""The private key that a SMART Backend Services client signs with: read from PEM, JWK or JWKS, and used.

Source: SMART App Launch 2.2, Client Authentication: Asymmetric (RS384 or ES384, always with ``kid``).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fhir_keta.errors import UsageError

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

_SHORTEST_RSA = 2048  # RFC 7518, 3.3
_WANTED = "RSA of at least 2048 bits (RS384) or EC on the curve P-384 (ES384)"
_AS_WHAT = "Give a private key as PEM, JWK or JWKS."


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the algorithm it signs by and the id (``kid``) under which its public half is registered."""

    algorithm: str
    id: str
    _key: RSAKey | ECKey = field(repr=False)

    def signed(self, claims: Mapping[str, Any]) -> str:
        """The claims as a signed JWT in compact form."""
        from joserfc import jwt

        header = {"alg": self.algorithm, "kid": self.id, "typ": "JWT"}
        return jwt.encode(header, dict(claims), self._key, algorithms=[self.algorithm])


def read_signing_key(content: bytes, key_id: str | None = None) -> SigningKey:
    """The key in ``content``; ``key_id`` chooses one of a JWKS, and names one that has no id of its own.

    Without either the id is the key's thumbprint (RFC 7638). Raises UsageError, which quotes nothing of the content.
    """
    if find_spec("joserfc") is None:
        raise UsageError(
            "SMART Backend Services needs the packages joserfc and cryptography. "
            "Install fhir-keta with its extra smart."
        )
    found = _jwks(content, key_id) if content.lstrip().startswith(b"{") else [_pem(content)]
    usable = [key for key in map(_usable, found) if key is not None]
    if not usable:
        raise UsageError(f"The client key is of a kind that SMART does not sign with. It takes {_WANTED}.")
    if len(usable) > 1:
        ids = ", ".join(key.kid or "one without kid" for key in usable)
        raise UsageError(f"The JWKS holds several keys that could sign: {ids}. Choose one with --client-key-id.")
    key = usable[0]
    return SigningKey(_algorithm(key), key_id or key.kid or key.thumbprint(), key)


def _pem(content: bytes) -> Any:
    """The key in a PEM file, as a JWK."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if b"ENCRYPTED" in content:
        raise UsageError(
            "The client key is encrypted, and there is nobody to ask for its password while a run lasts. "
            "Give it decrypted, in a file that only you can read."
        )
    try:
        private = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"The client key cannot be read as a private key. {_AS_WHAT}") from error
    return private


def _jwks(content: bytes, key_id: str | None) -> list[Any]:
    """The private keys in a JWK or JWKS; only the one with ``key_id`` where it is given and the keys have ids."""
    try:
        parsed = json.loads(content)
        keys = parsed.get("keys", [parsed])
        private = [key for key in keys if "d" in key and "sign" in key.get("key_ops", ["sign"])]
        private = [key for key in private if key.get("use", "sig") == "sig"]
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"The client key is neither PEM nor a JWK or JWKS. {_AS_WHAT}") from error
    if not private:
        raise UsageError(f"The JWKS of the client holds no private key to sign with. {_AS_WHAT}")
    named = [key for key in private if key_id is not None and key.get("kid") == key_id]
    if not named and key_id is not None and any("kid" in key for key in private):
        raise UsageError("No private key in the JWKS has the id given as --client-key-id. Correct one of the two.")
    return named or private


def _usable(found: Any) -> RSAKey | ECKey | None:
    """The key, if SMART's algorithms can sign with it."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from joserfc.errors import JoseError, SecurityWarning
    from joserfc.jwk import ECKey, RSAKey

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # its short keys are refused below
            if isinstance(found, dict):
                key = _of_jwk(found)
            elif isinstance(found, RSAPrivateKey):
                key = RSAKey(found, found)
            else:
                key = ECKey(found, found) if isinstance(found, EllipticCurvePrivateKey) else None
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"The client key is damaged, or no whole JWK. {_AS_WHAT}") from error
    if key is None or key.alg not in (None, _algorithm(key)):
        return None
    if isinstance(key, RSAKey):
        return key if key.raw_value.key_size >= _SHORTEST_RSA else None
    return key if key.curve_name == "P-384" else None


def _of_jwk(found: Any) -> RSAKey | ECKey | None:
    from joserfc.jwk import ECKey, RSAKey

    if found.get("kty") == "RSA":
        return RSAKey.import_key(found)
    return ECKey.import_key(found) if found.get("kty") == "EC" else None


def _algorithm(key: RSAKey | ECKey) -> str:
    return "RS384" if key.key_type == "RSA" else "ES384"
