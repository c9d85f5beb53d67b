"""What a message to a webhook is signed with, so that who is told can tell that it comes from here."""

import hashlib
import hmac
import time


def headers_of(secret: str, event: str, message_id: int, body: bytes) -> dict[str, str]:
    """The headers of a message; a message's id stays when it comes twice."""
    return {
        "User-Agent": "AnomalyLoop",
        "X-AnomalyLoop-Event": event,
        "X-AnomalyLoop-Delivery": str(message_id),
        "X-AnomalyLoop-Signature": sign(secret, body, int(time.time())),
    }


def sign(secret: str, body: bytes, at: int) -> str:
    """The value of X-AnomalyLoop-Signature: the time, and HMAC-SHA256 over time, dot and body, in hex."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
