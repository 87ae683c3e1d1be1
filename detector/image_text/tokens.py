"""Texts cut into the tokens that a network knows."""

from __future__ import annotations

from pathlib import Path

from detector.errors import ModelUnusable


class Tokenizer:
    """What a `tokenizer.json` says, with all texts of one length.

    Raises `ModelUnusable` where it cannot be read, or the library is not installed.
    """

    def __init__(self, path: Path, context_length: int, pad_token_id: int | None) -> None:
        try:
            # Needed only where somebody plugs a model in.
            import tokenizers
        except ModuleNotFoundError as error:
            raise ModelUnusable(
                path, "the library tokenizers is not installed; the extra `clip` has it"
            ) from error
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # The library raises nothing narrower.
            raise ModelUnusable(path, f"it is no tokenizer: {error}") from error
        if pad_token_id is None:
            pad_token_id = int((self._tokenizer.padding or {}).get("pad_id", 0))
        self._tokenizer.enable_truncation(context_length)
        self._tokenizer.enable_padding(length=context_length, pad_id=pad_token_id)

    def tokens(self, text: str) -> tuple[list[int], list[int]]:
        """The numbers of its tokens, and 1 for each that counts, 0 for what fills up."""
        encoding = self._tokenizer.encode(text)
        return encoding.ids, encoding.attention_mask
