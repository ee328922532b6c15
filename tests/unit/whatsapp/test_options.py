"""What the URL of a session may say."""

import pytest

from outbox.session.whatsapp.options import Options


def test_nothing_said() -> None:
    """Every option has a value without being named, and an empty question is none."""
    assert Options.parse("whatsapp:") == Options() == Options.parse("whatsapp:?")


def test_said() -> None:
    """Each option can be named."""
    options = Options.parse(
        "whatsapp:?capacity=3&connect_within=1.5&acknowledge_within=2&prepare_within=3"
        "&close_within=0&silent_within=4e1&memory=100"
    )
    assert options == Options(
        capacity=3,
        connect_within=1.5,
        acknowledge_within=2,
        prepare_within=3,
        close_within=0,
        silent_within=40,
        memory=100,
    )


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "is not whatsapp:"),
        ("whatsapp", "is not whatsapp:"),
        ("simulated:?capacity=1", "is not whatsapp:"),
        ("whatsapp://host", "is not whatsapp:"),
        ("whatsapp:main", "is not whatsapp:"),
        ("whatsapp:/?capacity=1", "is not whatsapp:"),
        ("whatsapp:?capacity", "is not name=value"),
        ("whatsapp:?capacity=3&&memory=200", "is not name=value"),
        ("whatsapp:?capacity=", "capacity: Input should be a valid integer"),
        ("whatsapp:?capacity=many", "capacity: Input should be a valid integer"),
        ("whatsapp:?capacity=0", "capacity: Input should be greater than or equal to 1"),
        ("whatsapp:?capacity=101", "capacity: Input should be less than or equal to 100"),
        ("whatsapp:?silent_within=0", "silent_within: Input should be greater than 0"),
        ("whatsapp:?silent_within=nan", "silent_within"),
        ("whatsapp:?connect_within=inf", "connect_within"),
        ("whatsapp:?close_within=-1", "close_within: Input should be greater than or equal to 0"),
        ("whatsapp:?close_within=60", "close_within: Input should be less than or equal to 7"),
        ("whatsapp:?memory=0.5", "memory: Input should be a valid integer"),
        ("whatsapp:?patience=9", "patience: Extra inputs are not permitted"),
    ],
)
def test_not_understood(url: str, sentence: str) -> None:
    """What cannot be is refused in a sentence that names the URL and the option."""
    with pytest.raises(ValueError, match=sentence) as refused:
        Options.parse(url)
    assert repr(url) in str(refused.value)
