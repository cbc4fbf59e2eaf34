"""Where the recorded data lies that tests read and the project does not contain."""

from pathlib import Path

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

TRANSCRIPTS = SHARED / "transcripts" / "transcripts.jsonl"
PAYLOAD_VERDICTS = SHARED / "transcripts" / "payload_verdicts.jsonl"
SCHEMAS = SHARED / "wikimedia" / "schemas.jsonl"
EVENTS = SHARED / "wikimedia" / "events.jsonl"
EVOLUTION = SHARED / "wikimedia" / "evolution.tsv"
