import signal
from types import FrameType

import click

from confluent_shim.cli.address import check_address


@click.group(invoke_without_command=True)
@click.option("--port", default=8082, show_default=True, type=click.IntRange(1, 65535), help="Port of the shim.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Worker processes.")
@click.pass_context
def dev(context: click.Context, port: int, workers: int) -> None:
    """Start Kafka, a schema registry and the shim in one process tree, with a sample binding."""
    if context.invoked_subcommand is not None:
        return
    from confluent_shim.devstack import running

    check_address("127.0.0.1", port)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell may have switched SIGINT off for a background job
        signal.signal(number, _interrupt)
    try:
        with running(port, workers) as stack:
            click.echo(f"Kafka      {stack.kafka} (in memory)")
            click.echo(f"registry   {stack.registry} (in memory)")
            click.echo(f"shim       {stack.shim}")
            click.echo(f"admin      {stack.admin_token} (the token for changes under {stack.shim}/-/)")
            click.echo("\nTry, in another terminal: a good event, a bad one, and reading the topic back.\n")
            for command in stack.next_commands():
                click.echo(f"  {command}\n")
            click.echo("Ctrl-C ends all of it.")
            stack.process.wait()
    except KeyboardInterrupt:
        click.echo("ended", err=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


@dev.command()
@click.argument("topic")
@click.option("--kafka", required=True, help="Address of a broker, host:port.")
def read(topic: str, kafka: str) -> None:
    """Print what TOPIC holds: where each record lies, the schema id it carries, its key and its value."""
    from confluent_shim.devstack import read_topic

    for record in read_topic(kafka, topic):
        key = "null" if record.key is None else record.key.decode(errors="replace")
        value = "null" if record.value is None else record.value.decode(errors="replace")
        schema = "unframed" if record.schema_id is None else f"schema id {record.schema_id}"
        click.echo(f"partition {record.partition}  offset {record.offset}  {schema}  key {key}  value {value}")
