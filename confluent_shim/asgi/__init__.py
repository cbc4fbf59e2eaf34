"""How granian serves the WSGI application: on an event loop what never waits, on threads everything else.

A produce request that waits for Kafka holds no thread then, and is judged on a processor that has just judged another.
"""

from collections.abc import Awaitable, Callable
from typing import Any

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
