"""Programs a person runs, each with ``python -m rnnfast.examples.<name>``.

========  ==========================================================================
char_lm   A character language model trained on English text, beside a trigram model.
========  ==========================================================================
"""
