"""Frames of made-up and real clips."""

import contextlib
import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sightline.core.errors import MediaError, MissingExtra, ShapeError
from sightline.media import videos

CLIPS = Path(os.environ.get("SIGHTLINE_SHARED_DATA", Path(__file__).parents[3] / "shared/data")) / "videos"


@pytest.fixture(scope="module")
def ramp():
    """A clip of 60 frames at 10 a second, frame i of grey 4 i."""
    av = pytest.importorskip("av")
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for i in range(60):
            picture = np.full((16, 32, 3), 4 * i, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


def greys(frames):
    return [np.asarray(frame).mean() for frame in frames]


def decoded(data):
    av = pytest.importorskip("av")
    with av.open(io.BytesIO(data)) as container:
        return greys(frame.to_image() for frame in container.decode(video=0))


@pytest.mark.parametrize("gap", [0, 5, 1000])
@pytest.mark.parametrize("n", [1, 2, 7, 60, 99])
def test_frames_are_those_asked_for_however_they_are_reached(ramp, n, gap, monkeypatch):
    monkeypatch.setattr(videos, "_SEEK_GAP", gap)
    clip = videos.read(ramp, n)
    assert clip.total == 60
    assert clip.numbers == videos.sample_indices(60, n)
    assert greys(clip.frames) == [decoded(ramp)[i] for i in clip.numbers]
    np.testing.assert_allclose(clip.seconds, [i / 10 for i in clip.numbers], atol=1e-6)


def test_a_clip_may_be_a_path_or_a_mapping(ramp, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(ramp)
    for source in (path, str(path), {"path": str(path), "bytes": None}, {"bytes": ramp, "path": None}):
        assert [frame.size for frame in videos.frames(source, 3)] == [(32, 16)] * 3
    assert len(videos.frames("clip.mp4", 2, tmp_path)) == 2


def test_counting_serves_when_times_do_not(ramp):
    av = pytest.importorskip("av")
    with av.open(io.BytesIO(ramp)) as container:
        found = videos._by_counting(container, container.streams.video[0], [0, 30, 59])
    assert greys(found) == [decoded(ramp)[i] for i in (0, 30, 59)]


def test_a_clip_may_be_a_list_of_frames():
    frames = [Image.new("L", (2, 2), i) for i in range(5)]
    clip = videos.read(frames, 3)
    assert (greys(clip.frames), clip.numbers, clip.seconds) == ([0, 2, 4], [0, 2, 4], None)
    with pytest.raises(MediaError, match="without frames"):
        videos.read([], 3)
    with pytest.raises(ShapeError, match="at least 1 frame"):
        videos.read(frames, 0)


def test_what_does_not_decode_names_the_file(ramp, tmp_path):
    pytest.importorskip("av")
    broken = tmp_path / "broken.mp4"
    for data in (b"", b"no video at all", ramp[: len(ramp) // 2]):
        broken.write_bytes(data)
        with pytest.raises(MediaError, match=r"broken.mp4` cannot be decoded"):
            videos.frames(broken, 4)
    with pytest.raises(MediaError, match=r"gone.mp4` cannot be read: no such file"):
        videos.frames(tmp_path / "gone.mp4", 4)
    with pytest.raises(MediaError, match="fetches nothing"):
        videos.frames("https://host/clip.mp4", 4)


@pytest.mark.parametrize("where", [0, 300, 600])
def test_a_damaged_clip_gives_all_frames_or_a_clear_error(ramp, where):
    damaged = bytearray(ramp)
    start = ramp.index(b"mdat") + 4 + where
    damaged[start : start + 200] = bytes(200)
    with contextlib.suppress(MediaError):
        clip = videos.read(bytes(damaged), 8)
        assert len(clip.frames) == len(clip.numbers) == len(clip.seconds)


def test_a_file_without_a_video_stream():
    av = pytest.importorskip("av")
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match="no video stream"):
        videos.frames(buffer.getvalue(), 2)


def test_without_pyav_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r"sightline\[video\]"):
        videos.frames("clip.mp4", 2)


@pytest.mark.parametrize("name", ["ball_animation.mp4", "example_video.mp4"])
def test_real_clips(name):
    av = pytest.importorskip("av")
    if not (CLIPS / name).is_file():
        pytest.skip(f"no real clip at {CLIPS / name}")
    clip = videos.read(CLIPS / name, 6)
    with av.open(str(CLIPS / name)) as container:
        every = [frame for i, frame in enumerate(container.decode(video=0)) if i in clip.numbers]
    assert len(every) == len(clip.frames) == 6
    for ours, theirs in zip(clip.frames, every, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), theirs.to_ndarray(format="rgb24"))
