"""The document for whoever watches: docs/signals.md says what the code does."""

import re
from pathlib import Path

from outbox.log.notifications import DEAD
from outbox.web import gauges, tally
from outbox.web.tally import Tally

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "signals.md").read_text("utf-8")


def test_every_metric_is_documented() -> None:
    """By its name, and what its labels say; the rules for alerts name no other."""
    source = Path(gauges.__file__).read_text("utf-8")
    named = set(re.findall(r'"(outbox_[a-z_]+)"', source))
    assert len(named) == 18
    counted = {
        one.name if one.type == "histogram" else f"{one.name}_total" for one in Tally().collect()
    }
    for name in named | counted:
        assert f"`{name}`" in TEXT
    for word in (*tally.NOTIFICATIONS, *tally.OUTCOMES, *tally.SETTLEMENTS, *DEAD):
        assert f"`{word}`" in TEXT
    pool = {name for name in re.findall(r"outbox_[a-z_]+", TEXT) if name.startswith("outbox_pool")}
    assert set(re.findall(r"outbox_[a-z_]+", TEXT)) - named - counted - pool == set()
