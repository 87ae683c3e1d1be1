"""Uploads that go on after a lost connection: a server of the tus protocol, version 1.0.0.

    protocol.py   what the headers say; no file, no request, no settings
    unfinished.py files that grow, with the offset that is safe on the disk
    taking.py     the two brought together, and a whole file handed to `gallery.uploads`

https://tus.io/protocols/resumable-upload describes the protocol. `gallery/tus_api.py` has the
addresses. docs/decisions/0012-tus-server.md says why this is no library.
"""
