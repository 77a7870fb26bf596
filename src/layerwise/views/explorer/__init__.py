"""What the explorer's page is given: numbers as bytes, pictures as sheets, and a manifest that says what they are.

- `payload`: Payload and `explorer_payload`, which joins the parts.
- `columns`: what is known of each example. `maps`: its places. `parts`: taps, exits, neighbours, units, facts.
- `packing`: Packer, arrays into named packs. `sheets`: many pictures in one file.

The page computes no measure. What it shows is in here, and is tested without a browser.
"""

from __future__ import annotations
