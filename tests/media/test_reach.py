"""What a confined process decodes: pictures and clips by their first bytes, wherever they come from."""

import base64
import io

import pytest
from PIL import Image

from sightline.core.errors import MediaError
from sightline.media import images, videos
from sightline.media.reach import Reach, confined

NO_MEDIA = {
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "a playlist": b"#EXTM3U\nhttp://127.0.0.1/a.ts\n",
    "a playlist that says WEBP": b"#EXTM3U\nWEBP\nhttp://127.0.0.1/a.ts\n",
    "a list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a vector graphic": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "a document": b"%PDF-1.7",
    "nothing": b"",
}


def url(data):
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_pictures_are_read(form):
    file = io.BytesIO()
    Image.new("RGB", (3, 2)).save(file, form)
    with confined(Reach()):
        assert images.load(file.getvalue()).size == images.load(url(file.getvalue())).size == (3, 2)


@pytest.mark.parametrize("what", NO_MEDIA)
def test_other_bytes_reach_no_decoder(what):
    data = NO_MEDIA[what]
    with confined(Reach()):
        for source in (data, url(data), {"bytes": data, "path": None}) if data else (data,):
            with pytest.raises(MediaError, match="no picture"):
                images.load(source)
            with pytest.raises(MediaError, match="no picture"):
                videos.frames(source, 1)


def test_files_below_the_root_too(tmp_path):
    (tmp_path / "a.eps").write_bytes(NO_MEDIA["postscript"])
    with confined(Reach(tmp_path)), pytest.raises(MediaError, match="no picture"):
        images.load(tmp_path / "a.eps")
