"""Programs a person runs; ``python -m rnnfast.examples`` lists them.

Each is a module with a command line, ``python -m rnnfast.examples.<name> --help``; the other
modules here are what they share.
"""
