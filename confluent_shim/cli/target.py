"""Which topic map a command works on: that of a store, or that of a running shim."""

import functools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from confluent_shim.cli.output import Command
from topic_map import Binding, check

if TYPE_CHECKING:
    from confluent_shim.cli.backend import Backend

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Configuration file; SHIM_CONFIG otherwise."
)


def with_backend(command: Command) -> Command:
    """Give `command` the options that name a topic map, and that topic map as its argument `backend`."""

    @config_option
    @click.option("--url", callback=_url, help="Address of a running shim to talk to; otherwise the store is opened.")
    @click.option("--token", callback=_token, envvar="SHIM_ADMIN_TOKEN", show_envvar=True, help="Its admin token.")
    @functools.wraps(command)
    def wrapped(config: Path | None, url: str | None, token: str | None, **rest: object) -> None:
        with closing(_open(config, url, token)) as backend:
            command(backend=backend, **rest)

    return wrapped


def topic_argument(*, required: bool = True) -> Callable[[Command], Command]:
    """Declare the argument TOPIC; what cannot be a topic is refused as an invalid binding is."""
    return click.argument("topic", required=required, callback=_topic)


def _open(config: Path | None, url: str | None, token: str | None) -> "Backend":
    if url is None:
        from confluent_shim.cli.store_backend import open_store_backend

        return open_store_backend(config)
    if config is not None:
        raise click.UsageError("--config and --url exclude each other: a running shim has its own configuration.")
    from confluent_shim.cli.remote import open_http_backend

    return open_http_backend(url, token)


def _topic(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    del context, parameter
    return None if value is None else check(Binding(topic=value)).topic


def _url(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    del context, parameter
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        plain = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        named = parts.username is not None
    except ValueError:
        plain, named = False, False
    if named:
        raise click.BadParameter("holds a user name; a shim takes only a token (--token).")
    if not plain:
        raise click.BadParameter("is not of the form http://HOST:PORT.")
    return value


def _token(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    del context, parameter
    if value is not None and not (value.isascii() and value.isprintable() and value == value.strip()):
        # Said here and without the value: the HTTP client would quote it in its error.
        raise click.BadParameter("holds characters that no header can carry.")
    return value
