"""What `page` refuses before it starts."""

import pytest

from m2rec.port import check_port


@pytest.mark.parametrize("port", ["abc", "", "0", "-1", "65536", "7860.5", "9" * 5000, "\u0667"])
def test_a_port_that_is_none_is_refused_in_one_line(run, monkeypatch, port):
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    result = run("page")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "give a whole number from 1 to 65535" in result.err


@pytest.mark.parametrize("port", ["1", "7860", "65535", None])
def test_a_port_is_taken(monkeypatch, port):
    if port is None:
        monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    else:
        monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    check_port()


@pytest.mark.parametrize("command", ["page", "lessons --folder"])
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_checkpoints_is_named(run, tmp_path, command, there):
    folder = tmp_path / "nope"
    if there:
        folder.mkdir()
    result = run(*command.split(), folder)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert f"{folder} holds no checkpoint folders" in result.err
