"""The explorer: a run folder in the browser.

- `server`: Explorer, the page on 127.0.0.1 under a token; `explore` opens one.
- `app`: the page, its data and its questions; `guard`: who may ask; `packs`: bytes that are made when asked for.
- `answers`: what is asked of the run's network, one question at a time; `turns`: the queue.
- `abilities`: what can be asked; `measured`: how the run's votes were found. Neither loads torch.
- `network`, `base`, `placing`: feature maps, and new images among the training images; `uploads`, `pngs`: pictures in
  and out.
- `export`: the same page as a folder that opens by double click.
- `static/`: the page as `make page` builds it from `webapp/`; `page` reads it.
"""

from __future__ import annotations
