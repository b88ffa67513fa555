"""Pictures and clips: loading, hashing, encoding, sampling frames, regions. Import the module: `media.images.load`.

Pillow and PyAV are imported when something is loaded, not before.
"""

from sightline.media import images, regions, videos

__all__ = ["images", "regions", "videos"]
