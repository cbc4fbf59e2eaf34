"""What an operator sees of the versions that bindings take: a log line and a metric when that changes."""

import logging

from confluent_shim.adoption import Adoption, subject_of
from confluent_shim.telemetry import Metrics
from topic_map import Binding

logger = logging.getLogger("confluent_shim.versions")


class AdoptionWatch:
    """Tells of versions that come into force, and of versions that do not."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def __call__(self, binding: Binding, before: Adoption | None, now: Adoption) -> None:
        """Take note of the versions that a binding takes `now`, having taken others `before`, if any."""
        known = {each.found.version for each in before.not_adopted} if before else set()
        if known or now.not_adopted:
            self._metrics.not_adopted(binding.topic, len(now.not_adopted))
        current = now.taken[-1] if now.taken else None
        facts = {"topic": binding.topic, "subject": subject_of(binding, "value"), "in_force": current}
        for each in now.not_adopted:
            if each.found.version not in known:
                more = {"version": each.found.version, "reason": each.reason}
                logger.warning("a version is not adopted", extra={"facts": {**facts, **more}})
        if before is not None and list(before.taken[-1:]) != list(now.taken[-1:]):
            logger.info("another version is in force", extra={"facts": facts})
