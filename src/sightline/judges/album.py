"""The pictures of many questions as data URLs: each encoded once, and forgotten after its last use."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from sightline.judges.judge import Question
from sightline.media import images


class Album:
    """Data URLs of the pictures that some questions show.

    Args:
        questions: all who will ask for their pictures.
        encoding: `PNG` or `JPEG`.
    """

    def __init__(self, questions: Sequence[Question], encoding: Literal["PNG", "JPEG"]) -> None:
        self.encoding = encoding
        self._uses = Counter(_key(image) for question in questions for image in question.images)
        self._urls: dict[Any, asyncio.Task[str]] = {}

    async def urls(self, question: Question) -> list[str]:
        """The data URLs of one question; each question may ask once.

        Raises:
            MediaError: a picture cannot be read.
        """
        try:
            return [await self._url(image) for image in question.images]
        finally:
            for image in question.images:
                self._used(_key(image))

    async def _url(self, image: Any) -> str:
        key = _key(image)
        if key not in self._urls:
            # in a thread: decoding and compressing must not hold up the replies of others
            self._urls[key] = asyncio.create_task(asyncio.to_thread(images.data_url, image, self.encoding))
        return await asyncio.shield(self._urls[key])

    def _used(self, key: Any) -> None:
        self._uses[key] -= 1
        if self._uses[key] <= 0:
            self._urls.pop(key, None)


def _key(image: Any) -> Any:
    return image if isinstance(image, (str, bytes)) else id(image)
