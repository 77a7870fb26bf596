"""The explorer: a run folder in the browser.

- `server`: the page on loopback, under a token; new images and feature maps are computed when asked for.
- `export`: the same page as a folder that opens by double click.
- `static/`: the page as `make page` builds it from `webapp/`.
"""

from __future__ import annotations
