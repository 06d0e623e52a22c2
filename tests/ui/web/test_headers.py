import re

import httpx
import pytest

from m2rec.ui.web.headers import HEADERS, content_security_policy

POLICY = "Content-Security-Policy"


@pytest.mark.parametrize("path", ["/", "/config", "/m2rec-static/main.js", "/nowhere", "/gradio_api/upload"])
def test_every_response_has_the_headers(address: str, path: str) -> None:
    headers = httpx.get(address.rstrip("/") + path).headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    assert headers[POLICY].startswith("default-src 'self'; script-src 'self'")


@pytest.mark.parametrize("path", ["/", "/config"])
def test_no_other_host_may_be_contacted(address: str, path: str) -> None:
    sources = (
        re.sub(r"'sha256-\S+'", "", httpx.get(address.rstrip("/") + path).headers[POLICY]).replace(";", " ").split()
    )
    assert not [source for source in sources if "." in source or "*" in source or "http" in source]


def test_only_the_documents_own_inline_scripts_may_run(address: str) -> None:
    document = httpx.get(address)
    (script,) = re.findall(r"<script>.*?</script>", document.text, re.S)
    assert document.headers[POLICY] == content_security_policy(script)
    scripts = document.headers[POLICY].split("; ")[1]
    assert scripts.count("sha256-") == 1
    assert "unsafe" not in scripts
    assert content_security_policy(script.replace("{", "{ alert(1);", 1)) != document.headers[POLICY]
