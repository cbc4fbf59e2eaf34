import socket


def check_address(host: str, port: int) -> None:
    """Try to listen, before a server does whose failure would be a crash. Raises CannotListen."""
    from confluent_shim.errors import CannotListen

    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
