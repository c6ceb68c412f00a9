"""Planned images and movies as an endpoint: by hash, so that an address says nothing about what is shown."""

import asyncio
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import Response

from ...web.app import Problem, file_forever
from ..study.plans import ServedStudy

_MAX_CACHED = 4096


class StimulusFiles:
    """Serves ``{name}``, a hash and any suffix; what was read once stays in memory.

    Parameters
    ----------
    served : ServedStudy
        Knows the files.
    """

    def __init__(self, served: ServedStudy) -> None:
        self._served = served
        self._contents: OrderedDict[str, bytes] = OrderedDict()

    async def endpoint(self, request: Request) -> Response:
        """Serve one file.

        Raises
        ------
        Problem
            404 for what is not planned, 503 when the file cannot be read now.
        """
        sha256 = request.path_params["name"].partition(".")[0]
        found = self._served.media.get(sha256)
        if found is None:
            raise Problem(404, "no_such_stimulus", "no such image")
        content = self._contents.get(sha256)
        if content is None:
            try:
                content = await asyncio.to_thread(found.path.read_bytes)
            except OSError as error:
                raise Problem(503, "unavailable", "the image cannot be read now") from error
            self._contents[sha256] = content
            if len(self._contents) > _MAX_CACHED:
                self._contents.popitem(last=False)
        return file_forever(content, found.media_type)
