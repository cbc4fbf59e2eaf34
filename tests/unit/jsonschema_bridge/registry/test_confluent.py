import pytest

from jsonschema_bridge.registry.confluent import open_confluent_registry


@pytest.mark.parametrize(
    ("given", "identity"),
    [
        ("http://registry:8081/", "http://registry:8081"),
        ("https://ann:secret@registry/apis/ccompat/v7/", "https://registry/apis/ccompat/v7"),
        ("http://ann:secret@one:1/, http://two:2", "http://one:1,http://two:2"),
    ],
)
def test_the_identity_is_the_url_without_credentials(given: str, identity: str) -> None:
    """Two spellings of one registry's address are one registry, and the name can be printed."""
    registry = open_confluent_registry(given)

    assert registry.identity == identity
    registry.close()
    registry.close()


@pytest.mark.parametrize(
    ("url", "options", "reason"),
    [
        ("registry:8081", {}, "http:// or https://"),
        ("http://", {}, "http:// or https://"),
        ("http://ann:secret@registry", {"user": "bob"}, "give them once"),
        ("http://registry", {"password": "secret"}, "without a user"),
        ("http://registry", {"ca": "/no/such/file.pem"}, "cannot be set up"),
        ("http://registry", {"extra": {"timeout": 60}}, "cannot set timeout"),
        ("http://registry", {"extra": {"no.such.key": 1}}, "no.such.key"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_sent(
    url: str, options: dict[str, object], reason: str
) -> None:
    """A wrong address, half-given credentials and unknown properties are told at once, without the secret."""
    with pytest.raises(ValueError, match=reason) as caught:
        open_confluent_registry(url, **options)  # type: ignore[arg-type]

    assert "secret" not in str(caught.value)
