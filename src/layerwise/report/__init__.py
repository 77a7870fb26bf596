"""Run folder → one HTML file that needs nothing else: no network, no JavaScript, no other file.

* `page`: `write_report`.
* `answer`: the question answered in a few sentences.
* `depth`, `galleries`, `stories`, `classes`, `factors`, `data`, `method`: its sections.
* `html`, `pictures`: markup that cannot forget to escape, and pictures inside it.
"""
