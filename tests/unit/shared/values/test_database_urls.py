import pytest

from shared.values.database_urls import read_database_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("sqlite:///var/registry.db", "sqlite:///var/registry.db"),
        ("sqlite:////data/registry.db", "sqlite:////data/registry.db"),
        ("postgresql://a:b@host/x?sslmode=require", "postgresql://a:b@host/x?sslmode=require"),
        ("postgres://a:b@host/x", "postgresql://a:b@host/x"),
        ("POSTGRES://host/x", "postgresql://host/x"),
        ("postgresql+asyncpg://host/x", "postgresql://host/x"),
    ],
)
def test_supported_databases(text: str, url: str) -> None:
    assert read_database_url(text) == url


@pytest.mark.parametrize("text", ["mysql://a:secret@host/x", "sqlite://", "sqlite:///", "host/x:secret", "", "secret"])
def test_other_databases_are_refused_without_the_password(text: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///path or postgresql://") as refused:
        read_database_url(text)
    assert "secret" not in str(refused.value)
