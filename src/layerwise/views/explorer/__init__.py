"""What the explorer's page is given: numbers as bytes, pictures as sheets, and a manifest that says what they are.

- `payload`: Payload and `explorer_payload`, which joins the parts.
- `packing`: Packer, arrays into named packs.

The page computes no measure. What it shows is in here, and is tested without a browser.
"""

from __future__ import annotations
