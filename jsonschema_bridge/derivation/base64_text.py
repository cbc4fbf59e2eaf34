"""Base64 texts, of which Avro keeps the bytes."""

from base64 import b64decode, b64encode


def from_text(text: str) -> bytes | None:
    """Return the bytes of a base64 text, None where another text, or none, would come back."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return None
    return data if to_text(data) == text else None


def to_text(data: bytes) -> str:
    """Return the base64 text of bytes: with padding, in one line."""
    return b64encode(data).decode("ascii")


def is_canonical(text: str) -> bool:
    """Tell whether `text` comes back from its bytes."""
    return from_text(text) is not None
