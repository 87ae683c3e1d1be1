from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from gallery.environment import (
    env_bool,
    env_choice,
    env_int,
    env_list,
    env_model,
    env_path,
    env_text,
    env_time_zone,
)

NAME = "GALLERY_TEST_VARIABLE"


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_counts_as_unset(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, text)
    assert env_text(NAME, "default") == "default"
    assert env_int(NAME, 7) == 7
    assert env_bool(NAME, True) is True
    assert env_list(NAME, "a,b") == ["a", "b"]
    assert env_path(NAME, Path("/srv")) == Path("/srv")


def test_blanks_around_a_value_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "  local:\n")
    assert env_text(NAME, "") == "local:"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("1", True), ("YES", True), ("on", True), ("0", False), ("No", False), ("false", False)],
)
def test_a_switch_is_read_in_words_and_digits(
    text: str, meaning: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)
    assert env_bool(NAME, not meaning) is meaning


@pytest.mark.parametrize("text", ["2", "maybe", "ja"])
def test_a_switch_that_is_neither_yes_nor_no_fails_by_name(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} should be yes or no, is '{text}'"):
        env_bool(NAME, False)


def test_a_number_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "8080")
    assert env_int(NAME, 1) == 8080


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "64MB", "many", "²"])
def test_a_number_that_is_not_whole_and_positive_fails_by_name(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} should be a whole number above 0"):
        env_int(NAME, 1)


def test_a_choice_is_read_in_any_letters_and_fails_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "info")
    assert env_choice(NAME, "WARNING", choices=["INFO", "WARNING"]) == "INFO"
    monkeypatch.setenv(NAME, "loud")
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} should be INFO or WARNING, is 'loud'"):
        env_choice(NAME, "WARNING", choices=["INFO", "WARNING"])


def test_a_model_is_in_the_process_or_served(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env_model(NAME, "local:", choices=["local:", "off:"]) == "local:"
    monkeypatch.setenv(NAME, "grpc://ssd:8500,ssd2:8500")
    assert env_model(NAME, "local:", choices=["local:"]) == "grpc://ssd:8500,ssd2:8500"
    for text in ("http://ssd:8500", "grpc://", "off:"):
        monkeypatch.setenv(NAME, text)
        with pytest.raises(ImproperlyConfigured, match=f"{NAME} should be local: or grpc://host"):
            env_model(NAME, "local:", choices=["local:"])


def test_a_time_zone_that_there_is_not_fails_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "Europe/Paris")
    assert env_time_zone(NAME, "UTC") == "Europe/Paris"
    for text in ("Mars/Base", "../etc", "Europe"):
        monkeypatch.setenv(NAME, text)
        with pytest.raises(ImproperlyConfigured, match=f"{NAME} should be a time zone"):
            env_time_zone(NAME, "UTC")


def test_a_list_drops_blanks_and_empty_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, " one.example , ,two.example,")
    assert env_list(NAME, "") == ["one.example", "two.example"]


def test_a_relative_path_counts_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(NAME, "photos")
    assert env_path(NAME, Path("/srv")) == tmp_path / "photos"
