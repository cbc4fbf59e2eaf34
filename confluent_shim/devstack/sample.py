"""The binding that a newcomer finds, and events that show what it does."""

import json

SAMPLE_TOPIC = "page-views"

SAMPLE_SCHEMA = json.dumps(
    {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "page view",
        "type": "object",
        "properties": {
            "page": {"type": "string", "minLength": 1},
            "dt": {"type": "string", "format": "date-time"},
            "user_id": {"type": "integer", "minimum": 1},
        },
        "required": ["page", "dt"],
        "additionalProperties": False,
    }
)

GOOD_EVENT = {"page": "/home", "dt": "2026-01-01T12:00:00Z", "user_id": 7}
BAD_EVENT = {"page": "/home", "dt": "yesterday"}
