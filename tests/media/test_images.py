"""Images from every kind of source, and the errors of those that are none."""

import base64
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sightline.core.errors import MediaError
from sightline.media import images

RED, BLUE = (255, 0, 0), (0, 0, 255)


def picture():
    image = Image.new("RGB", (6, 4), BLUE)
    image.putpixel((0, 0), RED)
    return image


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(picture()))
    return tmp_path


def test_every_source_gives_the_same_image(folder):
    path, data = folder / "a.png", encoded(picture())
    url = "data:image/png;base64," + base64.b64encode(data).decode()
    sources = [path, str(path), f"file://{path}", data, bytearray(data), url, picture(), np.asarray(picture())]
    sources += [{"bytes": data, "path": "gone.png"}, {"bytes": None, "path": str(path)}]
    for source in sources:
        assert images.load(source).tobytes() == picture().tobytes(), source
    assert images.load("a.png", folder).size == (6, 4)


def test_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    turned = images.load(encoded(picture(), exif=exif.tobytes()))
    assert turned.size == (4, 6)
    assert turned.getpixel((3, 0)) == RED


def test_other_modes_become_rgb():
    clear = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    assert images.load(encoded(clear)).getpixel((0, 0)) == (255, 255, 255)
    deep = Image.fromarray(np.full((2, 2), 40_000, np.uint16))
    assert images.load(encoded(deep)).getpixel((0, 0)) == (156, 156, 156)
    palette = picture().convert("P")
    assert images.load(encoded(palette, "GIF")).mode == "RGB"
    assert images.load(picture().convert("CMYK")).mode == "RGB"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gone.png", r"`gone.png` cannot be read: No such file"),
        ("https://host/a.png", "fetches nothing"),
        (b"not an image", r"12 bytes is not an image"),
        (b"", "is not an image"),
        (encoded(picture())[:60], "cannot be decoded|is not an image"),
        ("data:image/png;base64,%%%", "is not base64"),
        ("data:image/png", "has no data"),
        ({"url": "x"}, r"needs `bytes` or `path`, got \['url'\]"),
        (None, "cannot read media from NoneType"),
        (7, "cannot read media from int"),
        ("a\x00b", "cannot be read"),
        ("x" * 5000, "cannot be read"),
        (np.zeros((2, 2, 4), np.uint8), r"got \(2, 2, 4\) of uint8"),
        (np.zeros((2, 2), float), "of float64"),
    ],
)
def test_what_is_no_image_says_so(source, message):
    with pytest.raises(MediaError, match=message):
        images.load(source)


def test_a_folder_is_no_image(folder):
    with pytest.raises(MediaError, match="cannot be read"):
        images.load(folder)


def test_large_images_are_refused_before_they_are_decoded(folder):
    with pytest.raises(MediaError, match=r"6 x 4, more than 20 pixels"):
        images.load(folder / "a.png", max_pixels=20)
    bomb = encoded(Image.new("1", (20_000, 20_000)))
    with pytest.raises(MediaError, match="too large"):
        images.load(bomb)


def test_content_hash_follows_the_content(folder):
    path = folder / "a.png"
    before = images.content_hash(path)
    assert before == images.content_hash("a.png", folder) == images.content_hash(path.read_bytes())
    path.write_bytes(encoded(Image.new("RGB", (7, 4))))
    os.utime(path, ns=(1, 1))
    assert images.content_hash(path) != before
    assert images.content_hash(picture()) == images.content_hash(np.asarray(picture()))
    assert images.content_hash(Image.new("RGB", (6, 4))) != images.content_hash(Image.new("RGB", (4, 6)))
    with pytest.raises(MediaError, match="gone"):
        images.content_hash("gone")


def test_data_urls_round_trip_and_are_made_once(folder, monkeypatch):
    url = images.data_url(folder / "a.png")
    assert images.load(url).tobytes() == picture().tobytes()
    assert images.data_url(picture(), "JPEG").startswith("data:image/jpeg;base64,")
    assert images.data_url(picture(), "JPEG", quality=10) != images.data_url(picture(), "JPEG", quality=90)
    monkeypatch.setattr(images, "load", None)
    assert images.data_url(folder / "a.png") is url


def test_the_store_of_data_urls_stays_within_its_limit():
    store = images._Encoded(limit=10)
    for i in range(5):
        store.put(("", "", i), "x" * 4)
    assert [store.get(("", "", i)) is not None for i in range(5)] == [False, False, False, True, True]
    store.put(("", "", 9), "x" * 11)
    assert store.get(("", "", 9)) is None


def test_real_photos():
    photos = Path(os.environ.get("SIGHTLINE_SHARED_DATA", Path(__file__).parents[3] / "shared/data")) / "photos"
    if not photos.is_dir():
        pytest.skip(f"no real photos at {photos}")
    for path in sorted(photos.iterdir()):
        image = images.load(path)
        assert image.mode == "RGB"
        assert images.load(images.data_url(path)).size == image.size
