"""Consent: which texts are a word by which a person opts out or in."""

import pytest

from outbox.session.consent import IN, OUT, Word, Words


@pytest.mark.parametrize("word", OUT)
def test_opting_out(word: str) -> None:
    """In any case, with blanks around it, with full stops and exclamation marks behind it."""
    for written in (word, word.lower(), f" {word.title()}.\n", f"{word} !!"):
        assert Words().found(written) == Word(word, opts_out=True)


@pytest.mark.parametrize("word", IN)
def test_opting_in(word: str) -> None:
    """The same for the words that say the opposite."""
    assert Words().found(f"{word.lower()}!") == Word(word, opts_out=False)


@pytest.mark.parametrize("text", ["", ".", "!", "stop it", "non-stop", "stop?", "STOP STOP", "YES"])
def test_what_is_no_word(text: str) -> None:
    """Neither is a word with more around it, nor nothing at all."""
    assert Words().found(text) is None


def test_other_words() -> None:
    """Those that are set replace the list; however they are composed, they are the same."""
    words = Words(["ARRÊT", "Keine mehr"])
    assert words.found("arre\u0302t.") == Word("ARRÊT", opts_out=True)
    assert words.found("KEINE MEHR") == Word("Keine mehr", opts_out=True)
    assert words.found("STOP") is None
    assert words.found("start") == Word("START", opts_out=False)


def test_no_words() -> None:
    """With empty lists nothing that anybody writes is recognised."""
    assert not any(Words([], []).found(text) for text in (*OUT, *IN, ""))


@pytest.mark.parametrize(("opt_out", "problem"), [(["start!"], "out and in"), (["!"], "no word")])
def test_words_that_cannot_be(opt_out: list[str], problem: str) -> None:
    """No word says both, and none matches a message without a text."""
    with pytest.raises(ValueError, match=problem):
        Words(opt_out)
