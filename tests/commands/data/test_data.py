def test_the_downloaded_file_is_reported(run, monkeypatch, tmp_path):
    archive = tmp_path / "ml-1m.zip"
    archive.write_bytes(b"12345")
    asked = []

    def fetch(name):
        asked.append(name)
        return archive

    monkeypatch.setattr("m2rec.data.sources.download.download_data_set", fetch)
    result = run("data", "download", "ml-1m", "--json", "-")
    assert result.code == 0
    assert result.json == {"name": "ml-1m", "file": str(archive), "bytes": 5}
    assert asked == ["ml-1m"]


def test_an_unknown_data_set_is_refused_with_the_known_ones(run):
    result = run("data", "download", "ml-2m")
    assert result.code == 2
    assert "known: ml-1m" in result.err


def test_a_customer_is_drawn_into_a_file(run, monkeypatch, tmp_path):
    from m2rec.data.market.generate import generate
    from m2rec.data.market.settings import MarketSettings

    monkeypatch.setattr("m2rec.data.market.generate.cached_market", lambda: generate(MarketSettings(customers=300)))
    assert run("data", "picture", tmp_path / "one.svg", "--days", "14").code == 0
    assert (tmp_path / "one.svg").read_text(encoding="utf-8").startswith("<svg")
    refused = run("data", "picture", tmp_path / "one.svg" / "below-a-file.svg")
    assert refused.code == 2
    assert "cannot be written" in refused.err
