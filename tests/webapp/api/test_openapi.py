"""docs/openapi.json is that of this version, and the client's types are those that it promises."""

import json

import pytest

from webapp import client, openapi

SCHEMAS = {"AnnotationView": client.Annotation, "ImageView": client.Image, "RunView": client.Run}


def test_the_file_is_that_of_this_version() -> None:
    assert openapi.FILE.read_text() == openapi.document(), "Write it: python -m webapp.openapi"


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_client_knows_what_the_server_gives(name: str) -> None:
    given = json.loads(openapi.document())["components"]["schemas"][name]["properties"]
    assert set(SCHEMAS[name].__annotations__) == set(given)


def test_an_upload_is_kept_or_refused_and_the_client_knows_both() -> None:
    schemas = json.loads(openapi.document())["components"]["schemas"]
    assert set(client.Upload.__annotations__) == {*schemas["Kept"]["properties"], *schemas["Refused"]["properties"]}
