"""Looks at the pages as a browser would, within this process."""

import re
from dataclasses import dataclass

import httpx2
from fastapi.testclient import TestClient

from tests.web_api import Api


@dataclass
class Browser:
    """What somebody does who has logged in, without a screen."""

    client: TestClient

    def get(self, path: str) -> httpx2.Response:
        """Open a page."""
        answer: httpx2.Response = self.client.get(path, follow_redirects=False)
        return answer

    def post(self, path: str, *, csrf: str | None = None, **fields: object) -> httpx2.Response:
        """Send a form as the page has it, or with another csrf."""
        if csrf is None:
            found = re.search(r'name="csrf" value="([^"]+)"', self.get("/").text)
            assert found is not None
            csrf = found[1]
        answer: httpx2.Response = self.client.post(
            path, data={"csrf": csrf, **fields}, follow_redirects=False
        )
        return answer


def log_in(api: Api, *scopes: str) -> Browser:
    """Log in with a token that has these scopes."""
    client = TestClient(api.client.app, raise_server_exceptions=False)
    answer = client.post("/login", data={"token": api.token(*scopes)}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return Browser(client)
