"""Images in: from a spec, a file or a data set to `ImageData`. Knows no network."""
