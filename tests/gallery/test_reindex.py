from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from detector.model_files import MODEL_ID
from featurestore.current_model import read_model_choice
from gallery import components
from gallery.models import Image
from gallery.search import search_text
from tests.gallery.served_gallery import free_port

pytestmark = pytest.mark.django_db

Photos = dict[str, int]
BF16 = f"{MODEL_ID}-bf16"
# PredictResponses: {"model_id": a tensor of dtype 7 (text), one value}, and version 7 of a model.
SERVED_ID = b"\x0a\x1f\x0a\x08model_id\x12\x13\x08\x07\x42\x0fanother-model-1"
VERSION_7 = b"\x12\x04\x12\x02\x08\x07"


def reindex(*options: str) -> str:
    output = io.StringIO()
    call_command("reindex", *options, verbosity=0, stdout=output)
    return output.getvalue()


@contextmanager
def serving(answers: list[bytes | grpc.StatusCode]) -> Iterator[str]:
    """The address of a server in the place of TensorFlow Serving; it gives each answer once."""
    left = iter(answers)

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        chosen = next(left)
        if isinstance(chosen, grpc.StatusCode):
            context.abort(chosen, "as told")
        return chosen

    service = grpc.method_handlers_generic_handler(
        "tensorflow.serving.PredictionService",
        {"Predict": grpc.unary_unary_rpc_method_handler(answer)},
    )
    server = grpc.server(ThreadPoolExecutor(1), handlers=[service])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


def feature_folders() -> set[str]:
    return {path.name for path in (components.store().folder / "features").glob("*")}


@pytest.fixture
def detector_url(settings: Settings) -> Iterator[Settings]:
    """Settings whose DETECTOR_URL may be changed."""
    components.detector.cache_clear()
    yield settings
    components.detector.cache_clear()


def test_another_model_is_filled_in_and_switched_to_and_back(packaged_photos: Photos) -> None:
    before = components.model_id()
    assert f"Searching {BF16}; `reindex --back` returns to {before}." in reindex("--model", BF16)
    assert components.model_id() == BF16
    index = components.store().index(BF16)
    assert all(index.row_of(image_id) is not None for image_id in packaged_photos.values())
    reindex("--back")
    assert components.model_id() == before


@pytest.mark.parametrize("name", ["ssdlite-mobilnet", "../features", "ssd 7"])
@pytest.mark.parametrize("photos", ["gallery_data", "packaged_photos"])
def test_a_mistyped_model_is_refused_and_leaves_no_trace(
    name: str, photos: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(photos)
    before = sorted(components.store().folder.rglob("*"))
    with pytest.raises(CommandError, match=f"No detector has the model .*{BF16}"):
        reindex("--model", name)
    assert sorted(components.store().folder.rglob("*")) == before


def test_without_photos_nothing_is_switched(gallery_data: Path) -> None:
    assert "There are no photos yet" in reindex()
    assert read_model_choice(components.store().folder) is None


def test_an_image_without_a_row_ends_it_with_advice(packaged_photos: Photos) -> None:
    cat = packaged_photos["chelsea"]
    Image.objects.filter(pk=cat).delete()
    with pytest.raises(CommandError, match=rf"1 photos .* no row .* \({cat}\).*check_store"):
        reindex("--model", BF16)
    assert components.model_id() == MODEL_ID
    call_command("check_store", "--repair", verbosity=0)
    reindex("--model", BF16)
    assert components.model_id() == BF16


@pytest.mark.parametrize(
    ("answers", "model_id"),
    [
        pytest.param([SERVED_ID], "another-model-1", id="it tells"),
        pytest.param([grpc.StatusCode.INVALID_ARGUMENT, VERSION_7], "ssd-7", id="it cannot tell"),
    ],
)
def test_a_served_model_is_asked_for_its_id(
    answers: list[bytes | grpc.StatusCode], model_id: str, detector_url: Settings
) -> None:
    with serving(answers) as address:
        detector_url.DETECTOR_URL = f"grpc://{address}"
        assert components.detector_model_id() == model_id


def test_a_server_that_does_not_answer_is_told(
    packaged_photos: Photos, detector_url: Settings
) -> None:
    detector_url.DETECTOR_URL = f"grpc://127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match="unavailable"):
        reindex()


def test_a_search_asks_no_server_which_model_it_has(
    packaged_photos: Photos, detector_url: Settings
) -> None:
    (components.store().folder / "models.json").unlink()
    detector_url.DETECTOR_URL = f"grpc://127.0.0.1:{free_port()}"
    assert [hit.image.name for hit in search_text("cat").hits] == ["chelsea.png"]
    assert feature_folders() == {MODEL_ID}
